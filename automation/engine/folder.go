package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Folder is where an operation keeps all that it writes on this machine: its
// owner's alone, and removed at the end. Other operations have others.
type Folder string

// The kinds of folders; each is how their names begin.
const (
	OperationFolder = "redoubt-operation-"
	scratchFolder   = "redoubt-scratch-"
)

var folderPatterns = []string{OperationFolder, scratchFolder}

// MakeFolder makes one below the folder for temporary files, and removes those
// that were left there by processes that were killed. Remove removes it. Until
// then somebody must keep the claim open: whoever is handed it uses the folder,
// too.
func MakeFolder(pattern string) (_ Folder, claim *os.File, err error) {
	RemoveAbandoned()
	root, err := os.MkdirTemp("", pattern) // 0700
	if err != nil {
		return "", nil, fmt.Errorf("no folder for an operation (free some space, or set TMPDIR to a folder that can be written): %w", err)
	}
	f := Folder(root)
	if claim, err = f.claim(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("the folder of an operation: %w", err), f.Remove())
	}
	for _, sub := range []string{f.Work(), f.home(), f.Output(), f.temporary(), f.state()} {
		err = errors.Join(err, os.Mkdir(sub, 0o700))
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("the folder of an operation: %w", err), f.Remove(), claim.Close())
	}
	return f, claim, nil
}

// Remove removes the folder. It may be called again. The lock goes last: a
// folder without one holds nothing, should this process be killed meanwhile.
func (f Folder) Remove() error {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.Name() != lockName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(string(f), entry.Name())))
		}
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(string(f))
}

// Work is the workspace, with the project's file and the stack's.
func (f Folder) Work() string { return filepath.Join(string(f), "work") }

// Output is where processes write what they print.
func (f Folder) Output() string { return filepath.Join(string(f), "output") }

// home is the CLI's. Stacks are selected in a file below it, which concurrent
// operations corrupt (pulumi/pulumi#8186).
func (f Folder) home() string { return filepath.Join(string(f), "home") }

func (f Folder) temporary() string { return filepath.Join(string(f), "tmp") }

func (f Folder) state() string { return filepath.Join(string(f), "state") }

// SharePlugins lets the operation use installed plugins: those of the folder,
// else those of the user. It changes none of them; only one that may acquire
// plugins adds to them, and then the folder is made where it is missing.
func (f Folder) SharePlugins(folder string, acquire bool) error {
	if folder == "" {
		home := os.Getenv("PULUMI_HOME")
		if user, err := os.UserHomeDir(); home == "" && err == nil {
			home = filepath.Join(user, ".pulumi")
		}
		folder = filepath.Join(home, "plugins")
	}
	if acquire {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("the plugins: %w", err)
		}
	}
	if _, err := os.Stat(folder); err != nil {
		return nil
	}
	folder, err := filepath.Abs(folder)
	if err == nil {
		err = os.Symlink(folder, filepath.Join(f.home(), "plugins"))
	}
	if err != nil {
		return fmt.Errorf("the plugins: %w", err)
	}
	return nil
}

// Variables are what the CLI's environment gets, whatever the operation. The
// passphrase goes into a file: an environment is read by every plugin. Acquire
// lets the CLI download plugins.
func (f Folder) Variables(passphrase string, acquire bool) (map[string]string, error) {
	file := filepath.Join(string(f), "passphrase")
	if err := os.WriteFile(file, []byte(passphrase), 0o600); err != nil {
		return nil, fmt.Errorf("the folder of an operation: %w", err)
	}
	return map[string]string{
		"PULUMI_HOME":                                 f.home(),
		"PULUMI_CONFIG_PASSPHRASE_FILE":               file,
		"PULUMI_SKIP_UPDATE_CHECK":                    "true",
		"PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK":    "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": strconv.FormatBool(!acquire),
		"TMPDIR":   f.temporary(),
		"NO_COLOR": "1",
		// The CLI and the pack live for seconds: memory is cheaper than the time
		// that collecting it takes.
		"GOGC": "400",
	}, nil
}
