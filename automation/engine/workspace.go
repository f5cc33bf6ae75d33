package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
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
	// Env is added to the CLI's environment, which otherwise is this process's.
	Env map[string]string
	// Policy is the path of a policy pack, as an executable; empty for none.
	Policy string
	// PolicyConfig is the path of the pack's configuration; empty for none.
	PolicyConfig string
}

// Scratch is a stack of an existing project in a workspace and a backend of
// its own in a temporary folder: what happens there leaves no trace in the
// project or in its backend.
type Scratch struct {
	stack  auto.Stack
	folder string
	opts   ScratchOptions
	keys   []string
}

// NewScratch copies the project's files into a temporary folder and makes the
// stack there. Close removes the folder.
func NewScratch(ctx context.Context, opts ScratchOptions) (_ *Scratch, err error) {
	cli, err := FindCLI()
	if err != nil {
		return nil, err
	}
	project, settings, err := load(opts.Project, opts.Stack)
	if err != nil {
		return nil, err
	}
	// The CLI runs in another folder.
	for _, path := range []*string{&opts.Policy, &opts.PolicyConfig} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
		if _, err = os.Stat(*path); err != nil {
			return nil, fmt.Errorf("policy pack or its configuration: %w", err)
		}
	}
	if err := absolute(opts.Project, settings, opts.Folders); err != nil {
		return nil, err
	}
	passphrase, err := passphraseFor(opts.Stack, settings)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "redoubt-scratch-")
	if err != nil {
		return nil, fmt.Errorf("no folder for a scratch workspace: %w", err)
	}
	s := &Scratch{folder: folder, opts: opts}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := os.Mkdir(filepath.Join(folder, "state"), 0o700); err != nil {
		return nil, fmt.Errorf("scratch workspace: %w", err)
	}
	env := map[string]string{
		"PULUMI_HOME":                              filepath.Join(folder, "home"),
		"PULUMI_BACKEND_URL":                       "file://" + filepath.Join(folder, "state") + "?metadata=skip",
		"PULUMI_CONFIG_PASSPHRASE":                 passphrase,
		"PULUMI_SKIP_UPDATE_CHECK":                 "true",
		"PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
		// Nothing is real here, so a crash may lose the state: without a
		// checkpoint per step an update is an order of magnitude faster.
		"PULUMI_EXPERIMENTAL":     "true",
		"PULUMI_SKIP_CHECKPOINTS": "true",
		// Providers are attached; nothing may be downloaded.
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}
	if os.Getenv("GOGC") == "" {
		// The CLI and the pack live for seconds: memory is cheaper than the time
		// that collecting it takes.
		env["GOGC"] = "400"
	}
	maps.Copy(env, opts.Env)
	// The program is inline: the folder that `main` names does not exist here.
	project.Main = ""
	s.keys = keysOf(settings)
	s.stack, err = auto.UpsertStackInlineSource(ctx, opts.Stack, string(project.Name), opts.Program(s.keys),
		auto.WorkDir(folder), auto.Project(*project), auto.Pulumi(unasked{cli.PulumiCommand}), auto.EnvVars(env),
		auto.Stacks(map[string]workspace.ProjectStack{opts.Stack: *settings}))
	if err != nil {
		return nil, fmt.Errorf("stack %s cannot be made: %w", opts.Stack, Concise(err, Outcome{}))
	}
	return s, nil
}

// Close removes everything that the workspace wrote.
func (s *Scratch) Close() error { return os.RemoveAll(s.folder) }

// Set changes the stack's configuration in the scratch workspace. A key is
// "namespace:name" or a path below it, "redoubt:edge.rateLimit"; a value is
// text, as in `pulumi config set --path`.
func (s *Scratch) Set(ctx context.Context, values map[string]string) error {
	settings, err := s.stack.Workspace().StackSettings(ctx, s.opts.Stack)
	if err != nil {
		return fmt.Errorf("settings of stack %s: %w", s.opts.Stack, err)
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
	if err := s.stack.Workspace().SaveStackSettings(ctx, s.opts.Stack, settings); err != nil {
		return fmt.Errorf("settings of stack %s: %w", s.opts.Stack, err)
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

// Preview says what Up would do, with the policy pack enforced.
func (s *Scratch) Preview(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	opts := []optpreview.Option{optpreview.EventStreams(ch), optpreview.Color("never"), optpreview.SuppressProgress()}
	if s.opts.Policy != "" {
		opts = append(opts, optpreview.PolicyPacks(s.opts.Policy))
	}
	if s.opts.PolicyConfig != "" {
		opts = append(opts, optpreview.PolicyPackConfigs(s.opts.PolicyConfig))
	}
	_, err := s.stack.Preview(ctx, opts...)
	out := stop()
	return out, Concise(err, out)
}

// Up applies the program, with the policy pack enforced.
func (s *Scratch) Up(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	opts := []optup.Option{optup.EventStreams(ch), optup.Color("never"), optup.SuppressProgress(), optup.ShowSecrets(false)}
	if s.opts.Policy != "" {
		opts = append(opts, optup.PolicyPacks(s.opts.Policy))
	}
	if s.opts.PolicyConfig != "" {
		opts = append(opts, optup.PolicyPackConfigs(s.opts.PolicyConfig))
	}
	_, err := s.stack.Up(ctx, opts...)
	out := stop()
	return out, Concise(err, out)
}

// Refresh reads every resource back into the state.
func (s *Scratch) Refresh(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	_, err := s.stack.Refresh(ctx, optrefresh.EventStreams(ch), optrefresh.Color("never"), optrefresh.SuppressProgress(), optrefresh.ShowSecrets(false))
	out := stop()
	return out, Concise(err, out)
}

// Destroy deletes every resource.
func (s *Scratch) Destroy(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	_, err := s.stack.Destroy(ctx, optdestroy.EventStreams(ch), optdestroy.Color("never"), optdestroy.SuppressProgress(), optdestroy.ShowSecrets(false))
	out := stop()
	return out, Concise(err, out)
}

// load reads the project's file and the stack's.
func load(folder, stack string) (*workspace.Project, *workspace.ProjectStack, error) {
	path := filepath.Join(folder, "Pulumi.yaml")
	project, err := workspace.LoadProject(path)
	if err != nil {
		return nil, nil, fmt.Errorf("no Pulumi project in %s: %w (run it in the project's folder, or name it with --project)", folder, err)
	}
	path = filepath.Join(folder, "Pulumi."+stack+".yaml")
	if _, err := os.Stat(path); err != nil {
		return nil, nil, fmt.Errorf("stack %q: there is no %s (stacks here: %s)", stack, path, strings.Join(stacksIn(folder), ", "))
	}
	settings, err := workspace.LoadProjectStack(nil, project, path)
	if err != nil {
		return nil, nil, fmt.Errorf("stack %q: %s cannot be read: %w", stack, path, err)
	}
	return project, settings, nil
}

// Setting is the plain value under a key ("redoubt:accountId") in a stack's
// file; empty where the stack does not set it.
func Setting(project, stack, name string) (string, error) {
	_, settings, err := load(project, stack)
	if err != nil {
		return "", err
	}
	key, err := config.ParseKey(name)
	if err != nil {
		return "", fmt.Errorf("configuration key %q: %w", name, err)
	}
	value, ok, err := settings.Config.Get(key, false)
	if err != nil || !ok || value.Secure() {
		return "", err
	}
	return value.Value(config.NopDecrypter)
}

// absolute makes the folders that a stack's settings name absolute.
func absolute(project string, settings *workspace.ProjectStack, folders map[string]string) error {
	for name, folder := range folders {
		key, err := config.ParseKey(name)
		if err != nil {
			return fmt.Errorf("configuration key %q: %w", name, err)
		}
		value, ok, err := settings.Config.Get(key, true)
		if err != nil {
			return fmt.Errorf("configuration key %q: %w", name, err)
		}
		if ok {
			if folder, err = value.Value(config.NopDecrypter); err != nil {
				return fmt.Errorf("configuration key %q: %w", name, err)
			}
		}
		if folder == "" {
			continue
		}
		if !filepath.IsAbs(folder) {
			if folder, err = filepath.Abs(filepath.Join(project, folder)); err != nil {
				return err
			}
		}
		if err := settings.Config.Set(key, config.NewValue(folder), true); err != nil {
			return fmt.Errorf("configuration key %q: %w", name, err)
		}
	}
	return nil
}

// stacksIn lists the stacks that have a file in the folder.
func stacksIn(folder string) []string {
	files, err := filepath.Glob(filepath.Join(folder, "Pulumi.*.yaml"))
	if err != nil || len(files) == 0 {
		return []string{"none"}
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "Pulumi."), ".yaml"))
	}
	return names
}

// passphraseFor returns the passphrase of the stack's own secrets where it has
// any, else a fresh one that lives as long as the workspace.
func passphraseFor(stack string, settings *workspace.ProjectStack) (string, error) {
	if settings.EncryptionSalt == "" {
		return rand.Text(), nil
	}
	if phrase, ok := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE"); ok {
		return phrase, nil
	}
	if file, ok := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE_FILE"); ok {
		phrase, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("PULUMI_CONFIG_PASSPHRASE_FILE: %w", err)
		}
		return strings.TrimSpace(string(phrase)), nil
	}
	return "", fmt.Errorf("stack %q has encrypted configuration (encryptionsalt in Pulumi.%s.yaml) and there is no passphrase: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE", stack, stack)
}

func keysOf(settings *workspace.ProjectStack) []string {
	keys := make([]string, 0, len(settings.Config))
	for k := range settings.Config {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}
