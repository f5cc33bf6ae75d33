package rehearsal

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every token, and every property that a table names, is the SDK's.
func TestTablesNameWhatTheSDKHas(t *testing.T) {
	t.Parallel()
	for _, token := range Modelled() {
		t.Run(token, func(t *testing.T) {
			t.Parallel()
			require.True(t, knownType(token), "pulumi-aws has no such type")
			k := kinds[token]
			s := schemaOf(token)
			known := func(where, path string) {
				name := topProperty(path)
				_, isInput := s.inputs[name]
				_, isOutput := s.outputs[name]
				require.True(t, isInput || isOutput, "%s: %s is not a property", where, name)
			}
			input := func(where, path string) {
				name := topProperty(path)
				require.Contains(t, s.inputs, name, where)
			}
			for name := range k.computed {
				known("computed", name)
			}
			for name := range k.defaults {
				input("defaults", name)
			}
			for _, name := range slices.Concat(k.replaces, k.updates) {
				input("replaces, updates", name)
			}
			for _, r := range k.refs {
				known("refs", r.path)
			}
			for _, l := range k.limits {
				input("limits", l.path)
				require.NotEmpty(t, l.source, "limit of %s", l.path)
			}
			for _, r := range k.refuses {
				require.NotEmpty(t, r.source, r.name)
				require.NotEmpty(t, r.code, r.name)
			}
			if k.overwrites != "" {
				require.True(t, strings.HasPrefix(k.overwrites, "https://"), "overwrites: where is that documented?")
			}
			for _, b := range k.blocks {
				if b.unless != "" {
					known("blocks", b.unless)
				}
				for _, by := range b.by {
					require.True(t, knownType(by), "blocks: %s", by)
				}
			}
			for _, name := range placeholders(k) {
				known("template", name)
			}
			if n, ok := autonames[token]; ok && n.property != "" {
				input("autoname", n.property)
			}
		})
	}
}

var (
	placeholder = regexp.MustCompile(`\{([^{}]+)\}`)
	madeUp      = regexp.MustCompile(`^(hex|alnum|upper|digits)\d+(:|$)|^(uuid|ipv4)(:|$)`)
)

// placeholders are the properties in a kind's templates.
func placeholders(k *kind) []string {
	texts := append([]string{k.id, k.arn}, k.handles...)
	for _, v := range k.computed {
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		}
	}
	for _, u := range k.unique {
		texts = append(texts, u.key, u.message)
	}
	for _, b := range k.blocks {
		texts = append(texts, b.message)
	}
	own := []string{"account", "partition", "region", "dns", "id", "urnName"}
	var out []string
	for _, text := range texts {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			for name := range strings.SplitSeq(m[1], "|") {
				name, _, _ = strings.Cut(name, "->")
				if _, word := k.words[name]; name != "" && !word && !slices.Contains(own, name) && !madeUp.MatchString(name) {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// What refers to something names types that exist.
func TestTargetsNameTypes(t *testing.T) {
	t.Parallel()
	for token, k := range kinds {
		for _, r := range k.refs {
			for _, typ := range r.to.types {
				require.True(t, knownType(typ), "%s: %s refers to %s", token, r.path, typ)
			}
		}
	}
	for token := range autonames {
		require.True(t, knownType(token), "autonames: %s", token)
	}
	for _, typ := range networkUsers {
		require.True(t, knownType(typ), typ)
	}
}

// Every function of the tables is the SDK's, and answers what its result has.
func TestFunctionsAnswerWhatTheSDKReads(t *testing.T) {
	t.Parallel()
	files, err := sdkFiles()
	require.NoError(t, err)
	results := map[string]map[string]sdkField{}
	for _, s := range files {
		for _, token := range s.functions {
			for name, fields := range s.structs {
				if strings.HasSuffix(name, "Result") && !strings.HasSuffix(name, "OutputResult") {
					results[token] = fields
				}
			}
		}
	}
	arguments := map[string]props{
		"aws:index/getAvailabilityZone:getAvailabilityZone":   {"name": "us-east-1b"},
		"aws:ssm/getParameter:getParameter":                   {"name": "/aws/service/ami"},
		"aws:ssm/getParametersByPath:getParametersByPath":     {"path": "/security/dev"},
		"aws:ec2/getVpcEndpointService:getVpcEndpointService": {"service": "kms"},
		"aws:route53/getZone:getZone":                         {"name": "example.com"},
		"aws:iam/getPolicyDocument:getPolicyDocument":         {"statements": []any{props{"actions": []any{"s3:GetObject"}, "resources": []any{"*"}}}},
	}
	a := open(t, WithOrganization("o-exampleorgid"))
	p := configured(t, a, "us-east-1")
	for _, token := range Functions() {
		fields, ok := results[token]
		require.True(t, ok, "pulumi-aws has no function %s", token)
		answer := invoke(t, p, token, arguments[token])
		for name := range answer {
			require.Contains(t, fields, string(name), token)
		}
		for name, f := range fields {
			if !strings.HasPrefix(f.typ, "*") && name != "filters" && !strings.HasPrefix(f.typ, "[]") {
				require.Contains(t, answer, propertyKey(name), token)
			}
		}
	}
}
