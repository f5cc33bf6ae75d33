package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Delete ends a resource's life, unless something stands in the way. Deleting
// what is gone already is no error.
func (p *provider) Delete(_ context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	c, end, err := p.begin(opDelete, string(req.Type), string(req.URN))
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	defer end()
	c.id = string(req.ID)
	c.old = c.acct.live[c.key()]
	if c.old == nil {
		return plugin.DeleteResponse{}, nil
	}
	c.in, c.out = c.old.inputs, c.old.outputs
	if err := errors.Join(append(c.inTheWay(), c.refusals()...)...); err != nil {
		return plugin.DeleteResponse{}, err
	}
	return plugin.DeleteResponse{}, c.acct.remove(c.old)
}

// inTheWay is a refusal for each kind of dependent that AWS does not let go of.
func (c *call) inTheWay() []error {
	var out []error
	for _, b := range c.kind.blocks {
		if b.unless != "" && c.truth(b.unless) {
			continue
		}
		users := c.users(c.old, b.by...)
		if len(users) == 0 {
			continue
		}
		names := make([]string, len(users))
		for i, u := range users {
			names[i] = u.typ + " " + u.id
		}
		slices.Sort(names)
		const most = 5
		if len(names) > most {
			names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
		}
		message, _ := c.expand(b.message)
		out = append(out, c.refused(b.code, b.status, fmt.Sprintf("%s (in use by %s)", message, strings.Join(names, ", "))))
	}
	return out
}
