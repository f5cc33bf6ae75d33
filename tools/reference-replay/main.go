// Command reference-replay folds journals as the Pulumi CLI's own code does, so
// that tests of the product's replay can be held against it. The reference pulls
// in most of Pulumi's engine, which is why it is here and not in the product.
//
// It reads one case a line, {"op", "base", "entries", ...}, and answers each with
// one line in the same order.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/resource/edit"
	"github.com/pulumi/pulumi/pkg/v3/resource/stack/snapshot"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// question is a line of the input: a journal to fold, or where Rename is given a
// stack to rename.
type question struct {
	Base    *apitype.DeploymentV3  `json:"base"`
	Entries []apitype.JournalEntry `json:"entries"`
	Rename  *rename                `json:"rename"`
}

type rename struct {
	OldProject string `json:"oldProject"`
	OldStack   string `json:"oldStack"`
	NewProject string `json:"newProject"`
	NewStack   string `json:"newStack"`
}

// answer is a line of the output.
type answer struct {
	Deployment *apitype.TypedDeployment `json:"deployment,omitempty"`
	// Integrity is what the reference finds wrong with the deployment.
	Integrity string `json:"integrity,omitempty"`
	Error     string `json:"error,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	decode, encode := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var line json.RawMessage
		if err := decode.Decode(&line); err != nil {
			break // The end of the input, or a caller who will miss answers.
		}
		err := encode.Encode(reply(line))
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// reply answers one line. The reference panics on some journals; that is an
// answer too.
func reply(line json.RawMessage) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", r)}
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: err.Error()}
	}
	if q.Base == nil {
		q.Base = &apitype.DeploymentV3{}
	}
	if q.Rename != nil {
		return renamed(q.Base, *q.Rename)
	}
	replayer := backend.NewJournalReplayer(q.Base)
	for _, e := range q.Entries {
		if err := replayer.Add(e); err != nil {
			return answer{Error: err.Error()}
		}
	}
	d, err := replayer.GenerateDeployment()
	if err != nil {
		return answer{Error: err.Error()}
	}
	a.Deployment = &d
	if err := snapshot.VerifyIntegrity(d.Deployment); err != nil {
		a.Integrity = err.Error()
	}
	return a
}

func renamed(d *apitype.DeploymentV3, r rename) answer {
	err := edit.RenameStack(d, tokens.MustParseStackName(r.NewStack), tokens.PackageName(r.NewProject), edit.RenameStackOptions{
		OldName:    tokens.MustParseStackName(r.OldStack),
		OldProject: tokens.PackageName(r.OldProject),
	})
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Deployment: &apitype.TypedDeployment{Deployment: d, Version: apitype.DeploymentSchemaVersionCurrent}}
}
