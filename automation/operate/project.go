package operate

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
)

// inputsKey is where programs that read the stack's configuration find an order's
// inputs.
const inputsKey = "redoubt:inputs"

// projectOf is the project and the settings of a run. Secrets are in neither: they
// are files.
func projectOf(r provision.Run) (engine.Project, error) {
	p := engine.Project{
		Stack:    r.Stack.Stack,
		Project:  workspace.Project{Name: tokens.PackageName(r.Stack.Project), Runtime: workspace.NewProjectRuntimeInfo("go", nil)},
		Settings: workspace.ProjectStack{Config: config.Map{}},
	}
	if len(r.Inputs) == 0 || len(r.Secrets) > 0 {
		return p, nil
	}
	key, err := config.ParseKey(inputsKey)
	if err != nil {
		return p, fmt.Errorf("configuration key %q: %w", inputsKey, err)
	}
	p.Settings.Config[key] = config.NewValue(string(r.Inputs))
	return p, nil
}
