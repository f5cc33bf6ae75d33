package transfer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"go.yaml.in/yaml/v3"
)

// Config is what became of a stack's configuration file.
type Config struct {
	File    string `json:"file,omitempty"`
	Backup  string `json:"backup,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	// Secrets is how many values were encrypted again.
	Secrets int `json:"secrets"`
	// Removed are the settings of the old secrets provider.
	Removed []string `json:"removed,omitempty"`
	Problem string   `json:"problem,omitempty"`
	Note    string   `json:"note,omitempty"`
}

// Outcomes of a configuration file.
const (
	configRewritten = "rewritten"
	configWould     = "would be rewritten"
	configAlready   = "already for the target"
	configNone      = "there is no file"
)

// config encrypts the secrets of a stack's configuration file for the target.
func (m *mover) config(ctx context.Context, mv move) Config {
	out := Config{}
	if err := m.rewrite(ctx, mv, &out); err != nil {
		out.Problem = err.Error()
	}
	return out
}

func (m *mover) rewrite(ctx context.Context, mv move, out *Config) error {
	folder, err := configFolder(m.ConfigDir, mv.source.name.Project)
	if err != nil {
		return err
	}
	if mv.source.name.Project != mv.target.Project {
		out.Note = fmt.Sprintf("the project's name changes: keys that begin with %s: have to begin with %s:", mv.source.name.Project, mv.target.Project)
	}
	from := filepath.Join(folder, "Pulumi."+mv.source.name.Stack+".yaml")
	out.File = filepath.Join(folder, "Pulumi."+mv.target.Stack+".yaml")
	text, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		out.File, out.Outcome = from, configNone
		return nil
	}
	if err != nil {
		return err
	}
	if from != out.File {
		if _, err := os.Stat(out.File); err == nil {
			return fmt.Errorf("%s is there already: it was not touched, and neither was %s", out.File, from)
		}
	}
	file, err := parseConfig(text)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if m.already(ctx, mv, file) {
		out.Outcome = configAlready
		return nil
	}
	values, err := m.from.configValues(ctx, mv.source.name, file, m.Passphrases)
	if err != nil {
		return fmt.Errorf("the secrets of %s cannot be decrypted: %w", from, err)
	}
	plain, err := file.plaintexts(values)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	out.Secrets, out.Removed = len(plain), file.provider()
	if m.DryRun {
		out.Outcome = configWould
		return nil
	}
	text, err = m.encrypted(ctx, mv, file, plain, values)
	if err != nil {
		return err
	}
	if out.Backup, err = replaceFile(from, out.File, text); err == nil {
		out.Outcome = configRewritten
	}
	return err
}

// already says that a file's secrets can be decrypted in the target.
func (m *mover) already(ctx context.Context, mv move, file *configFile) bool {
	if m.to.service != nil {
		if len(file.provider()) > 0 {
			return false
		}
		if len(file.secure) == 0 {
			return true
		}
	}
	if exists, err := m.exists(ctx, mv.target); err != nil || !exists {
		return false
	}
	if m.to.service == nil && !m.sameProvider(ctx, mv.target, file) {
		return false
	}
	_, err := m.to.configValues(ctx, mv.target, file, m.Passphrases)
	return err == nil
}

// sameProvider says that a file names the secrets provider of the state.
func (m *mover) sameProvider(ctx context.Context, n Name, file *configFile) bool {
	p, err := m.to.currentProvider(ctx, n)
	if err != nil {
		return false
	}
	wanted, err := providerSettings(p)
	return err == nil && reflect.DeepEqual(wanted, file.settings())
}

// currentProvider is the secrets provider of a stack's state.
func (s *side) currentProvider(ctx context.Context, n Name) (*provider, error) {
	if s.service != nil {
		return s.providerOf(n, nil)
	}
	text, err := s.cli.run(ctx, call{args: []string{"stack", "export", "--stack", n.String()}})
	if err != nil {
		return nil, err
	}
	exported, err := parseState(text)
	if err != nil {
		return nil, err
	}
	return s.providerOf(n, exported)
}

// encrypted is the file with its secrets encrypted for the target, tried there.
func (m *mover) encrypted(ctx context.Context, mv move, file *configFile, plain []string, values map[string]configValue) ([]byte, error) {
	p, err := m.to.currentProvider(ctx, mv.target)
	if err != nil {
		return nil, err
	}
	settings, err := providerSettings(p)
	if err != nil {
		return nil, err
	}
	ciphertexts, err := m.to.encryptConfig(ctx, mv.target, settings, plain, m.Passphrases)
	if err != nil {
		return nil, fmt.Errorf("its secrets cannot be encrypted for the target: %w", err)
	}
	text, err := file.with(settings, ciphertexts)
	if err != nil {
		return nil, err
	}
	again, err := parseConfig(text)
	if err != nil {
		return nil, err
	}
	there, err := m.to.configValues(ctx, mv.target, again, m.Passphrases)
	if err != nil {
		return nil, fmt.Errorf("the target cannot read the new configuration: %w", err)
	}
	if !reflect.DeepEqual(values, there) {
		return nil, errors.New("the target reads another configuration from the new file than the source from the old one: nothing was written")
	}
	return text, nil
}

// configValue is what the CLI says of a key.
type configValue struct {
	Value       string `json:"value"`
	ObjectValue any    `json:"objectValue"`
	Secret      bool   `json:"secret"`
}

// configValues lets the CLI decrypt a file. It gets a copy, of ciphertexts, in a
// project of its own: programs and environments are left alone.
func (s *side) configValues(ctx context.Context, n Name, file *configFile, phrases *Passphrases) (map[string]configValue, error) {
	if len(file.secure) == 0 {
		return nil, nil
	}
	folder, err := s.project(n)
	if err != nil {
		return nil, err
	}
	text, err := file.reduced()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "Pulumi."+n.Stack+".yaml"), text, 0o600); err != nil {
		return nil, err
	}
	show := call{args: []string{"config", "--json", "--show-secrets", "--open=false", "--stack", n.String()}, folder: folder}
	if file.passphrase() {
		if show.passphrase, err = s.passphrase(&provider{Type: "passphrase"}, n, phrases); err != nil {
			return nil, err
		}
	}
	shown, err := s.cli.run(ctx, show)
	if err != nil {
		return nil, err
	}
	values := map[string]configValue{}
	if err := json.Unmarshal(shown, &values); err != nil {
		return nil, errors.New("the Pulumi CLI shows configuration in a form that is not known here")
	}
	return values, os.RemoveAll(folder)
}

// encryptConfig encrypts values, in their order, as a configuration file holds
// them.
func (s *side) encryptConfig(ctx context.Context, n Name, settings map[string]string, plain []string, phrases *Passphrases) ([]string, error) {
	var out []string
	if s.service != nil {
		texts := make([][]byte, len(plain))
		for i, p := range plain {
			texts[i] = []byte(p)
		}
		encrypted, err := s.service.encrypt(ctx, n, texts)
		for _, c := range encrypted {
			out = append(out, base64.StdEncoding.EncodeToString(c))
		}
		return out, err
	}
	if len(plain) == 0 {
		return nil, nil
	}
	folder, err := s.project(n)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "Pulumi."+n.Stack+".yaml")
	text, err := yaml.Marshal(settings)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	for i, p := range plain {
		// The CLI takes one newline off what it reads.
		set := call{
			args:   []string{"config", "set", "--secret", "--stack", n.String(), configKey(i)},
			folder: folder, stdin: strings.NewReader(p + "\n"),
		}
		if settings["encryptionsalt"] != "" {
			if set.passphrase, err = s.passphrase(&provider{Type: "passphrase"}, n, phrases); err != nil {
				return nil, err
			}
		}
		if _, err := s.cli.run(ctx, set); err != nil {
			return nil, err
		}
	}
	if text, err = os.ReadFile(file); err != nil {
		return nil, err
	}
	var written struct {
		Config map[string]struct {
			Secure string `yaml:"secure"`
		} `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &written); err != nil {
		return nil, err
	}
	for i := range plain {
		ciphertext := written.Config[configKey(i)].Secure
		if ciphertext == "" {
			return nil, errors.New("the Pulumi CLI did not encrypt a value")
		}
		out = append(out, ciphertext)
	}
	return out, os.RemoveAll(folder)
}

func configKey(i int) string { return fmt.Sprintf("transfer:v%d", i) }

// providerSettings are what a stack's file says of a secrets provider
// (sdk/go/common/workspace, ProjectStack).
func providerSettings(p *provider) (map[string]string, error) {
	var state struct {
		Salt         string `json:"salt"`
		URL          string `json:"url"`
		EncryptedKey string `json:"encryptedkey"`
	}
	if err := json.Unmarshal(p.State, &state); err != nil {
		return nil, fmt.Errorf("the state of secrets provider %q cannot be read", p.Type)
	}
	switch p.Type {
	case "passphrase":
		return map[string]string{"encryptionsalt": state.Salt}, nil
	case "cloud":
		return map[string]string{"secretsprovider": state.URL, "encryptedkey": state.EncryptedKey}, nil
	case "service":
		return map[string]string{}, nil
	}
	return nil, fmt.Errorf("secrets provider %q is not known here", p.Type)
}

// configFolder finds the folder of a project's stack files, at or below another.
func configFolder(root, project string) (string, error) {
	var found []string
	var seen []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "vendor") {
				return filepath.SkipDir
			}
			return nil
		} else if name != "Pulumi.yaml" && name != "Pulumi.yml" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var file struct {
			Name      string `yaml:"name"`
			ConfigDir string `yaml:"stackConfigDir"`
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		seen = append(seen, file.Name)
		if file.Name == project {
			found = append(found, filepath.Join(filepath.Dir(path), file.ConfigDir))
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", fmt.Errorf("no Pulumi.yaml of project %s at or below %s (found projects: %s)", project, root, orElse(strings.Join(seen, ", "), "none"))
	case len(found) > 1:
		return "", fmt.Errorf("project %s is in several folders: %s (name one with --config-dir)", project, strings.Join(found, ", "))
	}
	return found[0], nil
}

// replaceFile writes a file whole, and keeps the one that was there.
func replaceFile(from, to string, text []byte) (backup string, err error) {
	info, err := os.Stat(from)
	if err != nil {
		return "", err
	}
	old, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	if from == to {
		if bytes.Equal(old, text) {
			return "", nil
		}
		if backup, err = keep(from, old, info.Mode().Perm()); err != nil {
			return "", fmt.Errorf("no backup, so nothing was written: %w", err)
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(to), ".transfer-*")
	if err != nil {
		return backup, err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), to)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(temp.Name()))
	}
	return backup, err
}

// keep writes a backup beside a file, over none that is there.
func keep(path string, text []byte, mode os.FileMode) (string, error) {
	for i := 1; ; i++ {
		backup := path + ".before-transfer"
		if i > 1 {
			backup = fmt.Sprintf("%s-%d", backup, i)
		}
		f, err := os.OpenFile(backup, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(text)
		return backup, errors.Join(err, f.Sync(), f.Close())
	}
}

// keyName is a configuration key as the CLI shows it.
func keyName(text string) string {
	key, err := config.ParseKey(text)
	if err != nil {
		return text
	}
	return key.String()
}
