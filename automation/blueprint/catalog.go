package blueprint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"redoubt/automation/provision"
)

// Catalog is what this executable can launch; it implements provision.Catalog.
type Catalog struct{ blueprints []provision.Blueprint }

// NewCatalog offers blueprints, for example All.
func NewCatalog(blueprints []Blueprint) (*Catalog, error) {
	build, err := buildID()
	if err != nil {
		return nil, err
	}
	c := &Catalog{}
	for _, b := range blueprints {
		c.blueprints = append(c.blueprints, b.offer(build))
	}
	slices.SortFunc(c.blueprints, func(a, b provision.Blueprint) int { return strings.Compare(a.Name, b.Name) })
	return c, nil
}

// Blueprints implements provision.Catalog.
func (c *Catalog) Blueprints() []provision.Blueprint { return slices.Clone(c.blueprints) }

// Blueprint implements provision.Catalog. An executable has one version of each.
func (c *Catalog) Blueprint(name, version string) (provision.Blueprint, error) {
	var names []string
	for _, b := range c.blueprints {
		if b.Name != name {
			names = append(names, b.Name)
			continue
		}
		if version != "" && version != b.Version {
			return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "blueprint %s has no version %s: this server has %s", name, version, b.Version)
		}
		return b, nil
	}
	return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "there is no blueprint %q: there are %s", name, strings.Join(names, ", "))
}

// Find returns the blueprint of that name, with its programs.
func Find(name string) (Blueprint, error) {
	var names []string
	for _, b := range All {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Blueprint{}, fmt.Errorf("there is no blueprint %q: there are %s", name, strings.Join(names, ", "))
}

// offer is a blueprint as the domain sees it. Its digest is of the build and of
// the schema: what was approved with one digest is not applied with another.
func (b Blueprint) offer(build string) provision.Blueprint {
	sum := sha256.New()
	for _, part := range []string{build, b.Name, b.Version, string(b.Inputs().Schema)} {
		fmt.Fprintf(sum, "%d:%s\n", len(part), part)
	}
	var stacks []string
	if b.OnBaseline {
		stacks = []string{"/baseline"}
	}
	return provision.Blueprint{
		StackInputs:  stacks,
		BlueprintRef: provision.BlueprintRef{Name: b.Name, Version: b.Version, Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil))},
		Summary:      b.Summary, Schema: b.Inputs().Schema, Example: b.Inputs().Example, LaunchRole: b.LaunchRole(), Limits: b.Limits,
		Check: b.Inputs().Check, SecretInputs: slices.Clone(b.Inputs().Secrets),
	}
}

// buildID tells one build of the programs from another: the commit of a clean
// build, so that nodes of different machines agree, else the executable's digest.
var buildID = sync.OnceValues(func() (string, error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if settings["vcs.revision"] != "" && settings["vcs.modified"] == "false" {
			return "commit " + settings["vcs.revision"], nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("which executable this is: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the digest of %s: %w", path, err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("the digest of %s: %w", path, err)
	}
	return "executable " + hex.EncodeToString(sum.Sum(nil)), nil
})
