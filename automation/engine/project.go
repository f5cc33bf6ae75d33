package engine

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Project is a project's file and one of its stacks'.
type Project struct {
	// Stack is the stack's own name, without organization and project.
	Stack    string
	Project  workspace.Project
	Settings workspace.ProjectStack
}

// Load reads a project and the file of a stack. Folders are configuration
// values that name a folder or a file from the project's root, by key, with
// their defaults, empty for none: they become absolute, because the workspace
// of an operation is elsewhere.
func Load(folder, stack string, folders map[string]string) (Project, error) {
	project, settings, err := load(folder, stack)
	if err != nil {
		return Project{}, err
	}
	if err := absolute(folder, settings, folders); err != nil {
		return Project{}, err
	}
	return Project{Stack: stack, Project: *project, Settings: *settings}, nil
}

// Keys are the configuration keys that the stack sets, sorted.
func (p Project) Keys() []string {
	keys := make([]string, 0, len(p.Settings.Config))
	for k := range p.Settings.Config {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
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

// passphrase is that of the stack's own secrets where it has any, else a fresh
// one that lives as long as the workspace.
func (p Project) passphrase() (string, error) {
	phrase, err := p.Passphrase()
	if err == nil && p.Settings.EncryptionSalt == "" {
		phrase = rand.Text()
	}
	return phrase, err
}

// Passphrase is that of the stack's own secrets, from the environment; empty
// where the stack's file has no secrets that need one.
func (p Project) Passphrase() (string, error) {
	if p.Settings.EncryptionSalt == "" {
		return "", nil
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
	return "", fmt.Errorf("stack %q has encrypted configuration (encryptionsalt in Pulumi.%s.yaml) and there is no passphrase: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE", p.Stack, p.Stack)
}
