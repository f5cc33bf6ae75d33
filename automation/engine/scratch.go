package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ScratchOptions describe a scratch workspace.
type ScratchOptions struct {
	// Project is the folder that holds Pulumi.yaml and Pulumi.<stack>.yaml.
	// Nothing is written there.
	Project string
	Stack   string
	// Program makes the program of a stack that sets these configuration keys.
	Program func(keys []string) pulumi.RunFunc
	// Folders are configuration values that name a folder or a file from the
	// project's root, by key, with their defaults, empty for none: in the
	// scratch workspace they are absolute, because the project is elsewhere.
	Folders map[string]string
	// Env is added to the CLI's environment.
	Env map[string]string
	// Policy is the path of a policy pack, as an executable; empty for none.
	Policy string
	// PolicyConfig is the path of the pack's configuration; empty for none.
	PolicyConfig string
	// Backend keeps the stack, which must not be there yet. Without one it is a
	// folder that goes with the workspace, and a crash may ruin it: the fastest
	// that there is.
	Backend *Backend
}

// Scratch is a stack of an existing project in a temporary workspace: what
// happens there leaves no trace in the project or in its backend.
type Scratch struct {
	*Stack
	folder Folder
	claim  *os.File
}

// NewScratch copies the project's files into a temporary folder and makes the
// stack there. Close removes the folder.
func NewScratch(ctx context.Context, opts ScratchOptions) (_ *Scratch, err error) {
	cli, err := FindCLI()
	if err != nil {
		return nil, err
	}
	p, err := Load(opts.Project, opts.Stack, opts.Folders)
	if err != nil {
		return nil, err
	}
	// The CLI runs in another folder.
	if err := absolutePaths(&opts.Policy, &opts.PolicyConfig); err != nil {
		return nil, err
	}
	passphrase, err := p.passphrase()
	if err != nil {
		return nil, err
	}
	folder, claim, err := MakeFolder(scratchFolder)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, folder.Remove(), claim.Close())
		}
	}()
	// Providers are attached; nothing may be downloaded.
	env, err := folder.Variables(passphrase, false)
	if err != nil {
		return nil, err
	}
	backend := unsafeFile(folder.state())
	if opts.Backend != nil {
		backend = opts.Backend.Variables()
	}
	maps.Copy(env, backend)
	maps.Copy(env, opts.Env)
	stack, err := OpenStack(ctx, StackOptions{
		Name: opts.Stack, Project: p.Project, Settings: p.Settings, Program: opts.Program(p.Keys()), Create: true,
		Folder: folder.Work(), Command: &Command{CLI: cli, Env: Inherit{}.Environment(), Folder: folder.Output(), Held: []*os.File{claim}}, Env: env,
		Policy: opts.Policy, PolicyConfig: opts.PolicyConfig,
	})
	if err != nil {
		return nil, err
	}
	return &Scratch{Stack: stack, folder: folder, claim: claim}, nil
}

// absolutePaths makes paths absolute that are not empty, and sees that they exist.
func absolutePaths(paths ...*string) (err error) {
	for _, path := range paths {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
		if _, err = os.Stat(*path); err != nil {
			return fmt.Errorf("policy pack or its configuration: %w", err)
		}
	}
	return nil
}

// Close removes everything that the workspace wrote.
func (s *Scratch) Close() error {
	err := s.folder.Remove()
	_ = s.claim.Close() // closed already: Close was called before
	return err
}

// Set changes the stack's configuration in the scratch workspace. A key is
// "namespace:name" or a path below it, "redoubt:edge.rateLimit"; a value is
// text, as in `pulumi config set --path`.
func (s *Scratch) Set(ctx context.Context, values map[string]string) error {
	settings, err := s.stack.Workspace().StackSettings(ctx, s.opts.Name)
	if err != nil {
		return fmt.Errorf("settings of stack %s: %w", s.opts.Name, err)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		key, err := config.ParseKey(name)
		if err != nil {
			return fmt.Errorf("configuration key %q: %w", name, err)
		}
		if err := settings.Config.Set(key, config.NewTypedValue(values[name], typeOf(values[name])), true); err != nil {
			return fmt.Errorf("configuration key %q: %w", name, err)
		}
	}
	if err := s.stack.Workspace().SaveStackSettings(ctx, s.opts.Name, settings); err != nil {
		return fmt.Errorf("settings of stack %s: %w", s.opts.Name, err)
	}
	return nil
}

// typeOf keeps true, false and whole numbers what they are in the JSON that
// the program reads.
func typeOf(value string) config.Type {
	switch {
	case value == "true" || value == "false":
		return config.TypeBool
	case value != "" && strings.Trim(value, "0123456789") == "":
		return config.TypeInt
	default:
		return config.TypeString
	}
}
