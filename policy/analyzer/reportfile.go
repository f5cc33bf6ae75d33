package analyzer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/report"
	"redoubt/policy/rule"
)

// Where a pack writes reports is said by its environment and not by its
// configuration: a configuration may be an organization's and run on machines of
// others, where it must not name files to replace.
const (
	// reportVariable lists files, with commas; "{pack}" in one is the pack's name,
	// for an operation with several packs.
	reportVariable = "REDOUBT_POLICY_REPORT"
	// historyVariable is a folder that keeps the numbers of each run.
	historyVariable = "REDOUBT_POLICY_HISTORY"
	// policyReport is the policy that says when a report could not be written.
	policyReport = "report"
)

// reportFiles are where reports go.
type reportFiles struct {
	files   []reportFile
	history string
}

type reportFile struct {
	path   string
	format report.Format
}

// reportTo makes the pack write reports, and says everything that is wrong with
// where to before anything is judged.
func (a *Analyzer) reportTo(list, history string) error {
	var files []reportFile
	var errs []error
	for _, path := range strings.Split(list, ",") {
		if path = strings.ReplaceAll(strings.TrimSpace(path), "{pack}", a.opts.Name); path == "" {
			continue
		}
		format, err := report.FormatOf(path)
		if err == nil {
			err = writable(filepath.Dir(path))
		}
		errs = append(errs, err)
		files = append(files, reportFile{path, format})
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s:\n%w", reportVariable, err)
	}
	if len(files) > 0 || history != "" {
		a.files, a.opts.Keep = &reportFiles{files, history}, true
	}
	return nil
}

func writable(folder string) error {
	if about, err := os.Stat(folder); err != nil || !about.IsDir() {
		return fmt.Errorf("%s is no folder: make it first, a report is to be written there", folder)
	}
	return nil
}

// reportStack writes the reports about a stack that was judged as a whole. That one
// could not be written is said in advice: the operation goes on.
func (a *Analyzer) reportStack(all []*rule.Resource) []plugin.AnalyzeDiagnostic {
	if a.files == nil {
		return nil
	}
	return a.writeReports(a.reportNow(report.Subject{Stack: a.stackName(all), Phase: a.phaseName()}), a.files.history)
}

// reportStopped writes them before the stack was judged as a whole, where a finding
// ends an update: the engine asks nothing more then.
func (a *Analyzer) reportStopped(res *rule.Resource, found []plugin.AnalyzeDiagnostic) []plugin.AnalyzeDiagnostic {
	if a.files == nil || a.phase != phaseUpdate || !stops(found) {
		return nil
	}
	r := a.reportNow(report.Subject{Stack: a.stackName([]*rule.Resource{res}), Phase: a.phaseName()})
	r.Incomplete = true
	return a.writeReports(r, "")
}

func stops(found []plugin.AnalyzeDiagnostic) bool {
	for _, d := range found {
		if d.EnforcementLevel == rule.Mandatory || d.EnforcementLevel == rule.Remediate {
			return true
		}
	}
	return false
}

func (a *Analyzer) writeReports(r report.Report, history string) []plugin.AnalyzeDiagnostic {
	var errs []error
	if history != "" {
		var err error
		if r, err = r.Remember(history); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", historyVariable, err))
		}
	}
	for _, f := range a.files.files {
		errs = append(errs, r.WriteFile(f.path, f.format))
	}
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	return []plugin.AnalyzeDiagnostic{{
		PolicyName: policyReport, PolicyPackName: a.opts.Name, PolicyPackVersion: a.opts.Version,
		Description: "Reports of what the pack found.", Message: err.Error(),
		EnforcementLevel: rule.Advisory, Severity: rule.Low,
	}}
}
