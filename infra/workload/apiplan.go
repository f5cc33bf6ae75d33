package workload

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// apiPlan is what is known of an API before it is made.
type apiPlan struct {
	policy string
	// schemas are the texts by file, paths every resource below the root,
	// parents first.
	schemas map[string]string
	paths   []string
	// tokens says whether any route wants one.
	tokens bool
	// digest changes with everything that a deployment holds.
	digest string
}

var (
	methods    = []string{"DELETE", "GET", "PATCH", "POST", "PUT"}
	withBody   = []string{"PATCH", "POST", "PUT"}
	pathForm   = regexp.MustCompile(`^(/([a-z0-9-]+|\{[a-z][A-Za-z0-9]*\}))+$`)
	queryForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	scopeForm  = regexp.MustCompile(`^[A-Za-z0-9:._-]+/[A-Za-z0-9:._-]+$`)
	schemaForm = regexp.MustCompile(`^[a-z][a-z0-9-]*\.json$`)
	hostForm   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
)

func (args *ApiArgs) render() (apiPlan, error) {
	if args == nil {
		return apiPlan{}, errors.New("args: nil (pass &workload.ApiArgs{…})")
	}
	p := apiPlan{schemas: map[string]string{}}
	var f findings
	args.check(&f)
	args.checkRoutes(&f, &p)
	for _, name := range args.schemaNames() {
		text, wrong := loadSchema(args.Schemas, name)
		p.schemas[name] = text
		f = append(f, wrong...)
	}
	p.paths = args.paths(&f)
	var err error
	if p.policy, err = args.policy().ResourcePolicy(); err != nil {
		f = append(f, fmt.Errorf("policy: %w", err))
	}
	p.digest, err = args.digest(p)
	f.refuse(err != nil, "routes: %v (plain values)", err)
	return p, f.err()
}

func (args *ApiArgs) check(f *findings) {
	f.scope(args.Scope)
	f.refuse(!prefixForm.MatchString(args.Prefix), "prefix: %q (2 to 28 lower-case letters, digits and hyphens, a letter first)", args.Prefix)
	f.refuse(!serviceForm.MatchString(args.StageName), "stageName: %q (for example dev or prod)", args.StageName)
	f.refuse(len(args.Routes) == 0, "routes: empty (an API answers something)")
	f.refuse(args.WebAcl == nil, "webAcl: nil (what faces the internet is behind the WAF)")
	f.refuse(args.RatePerSecond <= 0 || args.RatePerSecond > 10000, "ratePerSecond: %v (above 0, to 10000, which is a region's own limit)", args.RatePerSecond)
	f.refuse(args.Burst < 1 || args.Burst > 5000, "burst: %d (1 to 5000)", args.Burst)
	f.refuse(args.Account == nil, "account: nil (API Gateway writes no log without a role; pass workload.NewApiAccount's)")
	f.refuse(args.LogKmsKeyArn == nil, "logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	f.refuse(!slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays),
		"logRetentionInDays: %d (one of %v)", args.LogRetentionInDays, monitoring.RetentionDays)
	for i, c := range args.AllowedCIDRs {
		prefix, err := netip.ParsePrefix(c)
		f.refuse(err != nil || prefix.Masked() != prefix, "allowedCidrs[%d]: %q (for example 198.51.100.0/24)", i, c)
	}
	if d := args.Domain; d != nil {
		f.refuse(!hostForm.MatchString(d.Name), "domain.name: %q (a host name, for example api.example.com)", d.Name)
		f.refuse(d.CertificateArn == nil, "domain.certificateArn: nil (a certificate of the API's region)")
	}
	f.refuse(len(args.Clients) > 0 && args.DailyQuota < 1, "dailyQuota: %d (at least 1, for each of the clients)", args.DailyQuota)
	f.refuse(len(args.Clients) == 0 && args.DailyQuota != 0, "dailyQuota: %d without clients (name those that it is for)", args.DailyQuota)
	for i, c := range args.Clients {
		f.refuse(!serviceForm.MatchString(c) || slices.Index(args.Clients, c) != i, "clients[%d]: %q (1 to 20 lower-case letters, digits and hyphens, once)", i, c)
	}
}

func (args *ApiArgs) checkRoutes(f *findings, p *apiPlan) {
	backend, seen := false, map[string]bool{}
	for _, r := range args.Routes {
		at := fmt.Sprintf("routes[%s %s]", r.Method, r.Path)
		f.refuse(seen[at], "%s: twice (keep one)", at)
		seen[at] = true
		f.refuse(!slices.Contains(methods, r.Method), "%s.method: one of %v", at, methods)
		f.refuse(!pathForm.MatchString(r.Path), "%s.path: words of lower-case letters, digits and hyphens, or {parameters}, each after a slash", at)
		body := slices.Contains(withBody, r.Method)
		f.refuse(body && r.Schema == "", "%s.schema: empty (a body that nobody checks)", at)
		f.refuse(!body && r.Schema != "", "%s.schema: %s has no body", at, r.Method)
		f.refuse(r.Schema != "" && !schemaForm.MatchString(r.Schema), "%s.schema: %q (a file of Schemas, for example order.json)", at, r.Schema)
		for _, q := range r.RequiredQuery {
			f.refuse(!queryForm.MatchString(q), "%s.requiredQuery: %q (letters, digits, _ and -)", at, q)
		}
		for _, s := range r.Scopes {
			f.refuse(!scopeForm.MatchString(s), "%s.scopes: %q (<resource server>/<scope>)", at, s)
		}
		f.refuse(len(r.Scopes) == 0 && r.Public == "", "%s.scopes: empty (say which scope opens the route, or in public why it needs none)", at)
		f.refuse(len(r.Scopes) > 0 && r.Public != "", "%s.public: set beside scopes (choose one)", at)
		backend = backend || r.Function == nil
		p.tokens = p.tokens || len(r.Scopes) > 0
	}
	f.refuse(p.tokens && args.UserPoolArn == nil, "userPoolArn: nil (whose tokens open the routes with scopes)")
	u, err := url.Parse(args.Backend.URL)
	f.refuse(backend && (err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != ""),
		"backend.url: %q (https://<host>, without a path)", args.Backend.URL)
}

func (args *ApiArgs) schemaNames() []string {
	names := map[string]bool{}
	for _, r := range args.Routes {
		if schemaForm.MatchString(r.Schema) && args.Schemas != nil {
			names[r.Schema] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// paths are the routes' paths and all above them. Below one path there may be
// one parameter: API Gateway refuses "/orders/{id}" beside "/orders/{number}".
func (args *ApiArgs) paths(f *findings) []string {
	all, parameter := map[string]bool{}, map[string]string{}
	for _, r := range args.Routes {
		for path := r.Path; path != "" && strings.HasPrefix(path, "/"); path = parentPath(path) {
			all[path] = true
			parent, last := parentPath(path), path[strings.LastIndex(path, "/")+1:]
			if !strings.HasPrefix(last, "{") {
				continue
			}
			first, twice := parameter[parent]
			f.refuse(twice && first != last, "routes[%s %s].path: %s, but another route has %s there (use one name)", r.Method, r.Path, last, first)
			parameter[parent] = cmp.Or(first, last)
		}
	}
	f.refuse(args.Schemas == nil && slices.ContainsFunc(args.Routes, func(r Route) bool { return r.Schema != "" }),
		"schemas: nil (the files that the routes name, for example schemas.Files)")
	return slices.Sorted(maps.Keys(all))
}

func parentPath(path string) string { return path[:strings.LastIndex(path, "/")] }

// policy admits everybody or the named networks, over TLS. The API's id is not
// known at preview, so the resource is the stage of any API: the policy is on
// this one only.
func (args *ApiArgs) policy() identity.Document {
	resource := []string{args.Scope.ARN("execute-api", "*/"+args.StageName+"/*")}
	allowed := identity.Condition{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}}
	if len(args.AllowedCIDRs) > 0 {
		allowed = identity.Condition{Test: "IpAddress", Key: "aws:SourceIp", Values: args.AllowedCIDRs}
	}
	return identity.Document{
		{
			Sid: "AllowCallers", Effect: identity.Allow, Principals: identity.Principals{Any: true},
			Actions: []string{"execute-api:Invoke"}, Resources: resource, Conditions: []identity.Condition{allowed},
		},
		{
			Sid: "DenyInsecureTransport", Effect: identity.Deny, Principals: identity.Principals{Any: true},
			Actions: []string{"execute-api:Invoke"}, Resources: resource,
			Conditions: []identity.Condition{{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
		},
	}
}

// digest is of everything that goes live with a deployment only: without a new
// one, a change of these stays without effect.
func (args *ApiArgs) digest(p apiPlan) (string, error) {
	type route struct {
		Method, Path, Schema, Function string
		Query, Scopes                  []string
		Key                            bool
	}
	var routes []route
	for _, r := range args.Routes {
		one := route{Method: r.Method, Path: r.Path, Schema: r.Schema, Query: r.RequiredQuery, Scopes: r.Scopes, Key: len(args.Clients) > 0}
		if r.Function != nil {
			one.Function = r.Function.KnownArn
		}
		routes = append(routes, one)
	}
	text, err := json.Marshal([]any{routes, p.schemas, p.policy, args.Backend.URL, gatewayResponses})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}
