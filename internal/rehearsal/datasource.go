package rehearsal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// source is a function of the provider that reads something. It gets the call
// with the arguments as c.in.
type source func(c *call) (props, error)

// sources is every function that the account answers, by token. It is filled by
// init, because functions look types up.
var sources map[string]source

func init() {
	sources = map[string]source{}
	for _, table := range sourceTables {
		maps.Copy(sources, table)
	}
}

// Functions is the tokens of the functions that the account answers by its
// tables, sorted. A function that looks up a resource by id, ARN, name or tags is
// answered besides, from what lives in the account.
func Functions() []string { return slices.Sorted(maps.Keys(sources)) }

// Invoke answers a function. The arguments come back with the answer, as with
// the real provider.
func (p *provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	token := string(req.Tok)
	c, end, err := p.begin(opInvoke, token, token)
	if err != nil {
		return plugin.InvokeResponse{}, err
	}
	defer end()
	c.in = plainMap(req.Args)
	made, known, err := c.answer(token)
	if err != nil {
		return plugin.InvokeResponse{}, err
	}
	if !known {
		return plugin.InvokeResponse{}, fmt.Errorf("rehearsal: the function %s is not modelled; pass what it would answer as configuration, or add it to the tables. Modelled are: %s",
			token, strings.Join(Functions(), ", "))
	}
	out := cloneMap(c.in)
	for name, v := range made {
		done, ok := c.evaluate(v)
		if !ok {
			return plugin.InvokeResponse{}, fmt.Errorf("rehearsal: %s: no value for %s", token, name)
		}
		out[resource.PropertyKey(name)] = done
	}
	if _, given := out["id"]; !given {
		out["id"] = resource.NewProperty(c.conf.region)
	}
	return plugin.InvokeResponse{Properties: out}, nil
}

// answer asks the tables, then looks for a live resource.
func (c *call) answer(token string) (props, bool, error) {
	if answer, ok := sources[token]; ok {
		made, err := answer(c)
		return made, true, err
	}
	return c.lookUp(token)
}
