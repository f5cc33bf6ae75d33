package rehearsal

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Read returns what the account holds. For a resource that Pulumi knows, the
// inputs are those of the last update with everything that was changed behind
// Pulumi's back; for an import they are the live inputs. What is not there comes
// back empty, which the engine understands as deleted.
func (p *provider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	c, end, err := p.begin(opRead, string(req.Type), string(req.URN))
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	defer end()
	c.id = string(req.ID)
	r := c.acct.live[c.key()]
	if at, ok := c.acct.index.handles[handleFor(c.kind.token, c.region(), c.id)]; r == nil && ok && at.typ == c.kind.token {
		r = c.acct.live[at] // imported by its ARN or name
	}
	if r == nil {
		return plugin.ReadResponse{}, nil
	}
	inputs := revealMap(r.inputs, req.Inputs)
	if marks, ok := req.Inputs[defaultsKey]; ok {
		inputs[defaultsKey] = marks
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID: resource.ID(r.id), Inputs: inputs, Outputs: revealMap(revealMap(r.outputs, req.State), req.Inputs),
	}}, nil
}
