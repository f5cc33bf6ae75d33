package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/internal/rehearsal"
)

// orderProject is the name of the project that an order is rehearsed in.
const orderProject = "order"

// writeProject makes the project's folder of an order: its file, and that of the
// stack with the inputs.
func writeProject(inputs json.RawMessage, stack string) (folder string, err error) {
	folder, err = os.MkdirTemp("", "redoubt-order-")
	if err != nil {
		return "", fmt.Errorf("no folder for the order: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	project := &workspace.Project{Name: tokens.PackageName(orderProject), Runtime: workspace.NewProjectRuntimeInfo("go", nil)}
	if err := project.Save(filepath.Join(folder, "Pulumi.yaml")); err != nil {
		return "", fmt.Errorf("the order's project: %w", err)
	}
	key, err := config.ParseKey(blueprint.InputsKey)
	if err != nil {
		return "", err
	}
	settings := &workspace.ProjectStack{Config: config.Map{key: config.NewObjectValue(string(inputs))}}
	if err := settings.Save(filepath.Join(folder, "Pulumi."+stack+".yaml")); err != nil {
		return "", fmt.Errorf("the order's stack: %w", err)
	}
	return folder, nil
}

// order is what the rehearsal of a stack runs in: the project's folder, and what
// the stack stands on.
type order struct {
	project string
	// temporary says that the folder goes with the rehearsal.
	temporary bool
	// base is the full name of the baseline, empty for none, and made are the URNs
	// of its resources.
	base string
	made map[string]bool
}

// newOrder prepares the rehearsal of an order: it checks the inputs, writes its
// project and makes its baseline. Without inputs the stack is the project's.
func newOrder(ctx context.Context, opts Options, stack string, states *service, account *rehearsal.Account, port int) (*order, error) {
	if len(opts.Inputs) == 0 {
		return &order{project: opts.Project}, nil
	}
	inputs, found := opts.Blueprint.Inputs().Check(opts.Inputs)
	if len(found) > 0 {
		text := fmt.Sprintf("the inputs of %s are not valid:", opts.Blueprint.Name)
		for _, f := range found {
			text += "\n  " + f.Pointer + ": " + f.Message
		}
		return nil, errors.New(text)
	}
	o := &order{temporary: true}
	if opts.Blueprint.OnBaseline {
		var base string
		var err error
		if inputs, base, o.base, err = standOn(opts.Project, inputs); err != nil {
			return nil, err
		}
		if o.made, err = deployBaseline(ctx, opts, base, states, account, port); err != nil {
			return nil, err
		}
	}
	var err error
	o.project, err = writeProject(inputs, stack)
	return o, err
}

func (o *order) reads() []string {
	if o.base == "" {
		return nil
	}
	return []string{o.base}
}

func (o *order) close() error {
	if !o.temporary {
		return nil
	}
	return os.RemoveAll(o.project)
}

// standOn makes inputs name the baseline that the rehearsal makes: the project's
// stack of the same name, dev if it has none. It returns them, that stack, and
// its full name.
func standOn(folder string, inputs json.RawMessage) (_ json.RawMessage, base, full string, err error) {
	var document map[string]any
	if err := json.Unmarshal(inputs, &document); err != nil {
		return nil, "", "", err
	}
	named, _ := document["baseline"].(string)
	base = path.Base(named)
	if _, err := os.Stat(filepath.Join(folder, "Pulumi."+base+".yaml")); err != nil {
		base = "dev"
	}
	project, err := workspace.LoadProject(filepath.Join(folder, "Pulumi.yaml"))
	if err != nil {
		return nil, "", "", fmt.Errorf("the baseline: no Pulumi project in %s: %w (run it in Redoubt's folder, or name it with --project)", folder, err)
	}
	full = organization + "/" + project.Name.String() + "/" + base
	document["baseline"] = full
	inputs, err = json.Marshal(document)
	return inputs, base, full, err
}

// accountOf is the account that an order names; empty for any.
func accountOf(inputs json.RawMessage) string {
	var order struct {
		AccountID string `json:"accountId"`
	}
	if json.Unmarshal(inputs, &order) != nil {
		return ""
	}
	return order.AccountID
}

// deployBaseline makes the stack that an order stands on, without a policy pack:
// its own rehearsal is another. It returns the URNs of what it made.
func deployBaseline(ctx context.Context, opts Options, base string, states *service, account *rehearsal.Account, port int) (_ map[string]bool, err error) {
	opts.Progress(Progress{Stack: base, Phase: "baseline"})
	kept, err := states.backend(ctx, base)
	if err != nil {
		return nil, err
	}
	whole := blueprint.DefenseInDepth
	scratch, err := engine.NewScratch(ctx, engine.ScratchOptions{
		Project: opts.Project, Stack: base, Program: whole.Program, Folders: whole.Folders, Env: environment(port), Backend: kept,
	})
	if err != nil {
		return nil, fmt.Errorf("the baseline: %w", err)
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	r := &engine.Recorder{OnResource: func(done int) { opts.Progress(Progress{Stack: base, Phase: "baseline", Resources: done}) }}
	if _, err := scratch.Up(ctx, r); err != nil {
		return nil, fmt.Errorf("the baseline: %w", err)
	}
	made := map[string]bool{}
	for _, res := range account.Resources() {
		made[res.URN] = true
	}
	return made, nil
}
