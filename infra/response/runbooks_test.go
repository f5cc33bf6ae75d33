package response_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/response"
	"redoubt/internal/graphtest"
)

// Every bullet of Incident Response is served by a component, and where people
// have a part in it there is a runbook.
func TestEveryBulletOfTheResponseIsServed(t *testing.T) {
	t.Parallel()
	served := map[guide.ID]bool{}
	for _, c := range response.Components {
		for _, id := range c.Serves {
			served[id] = true
		}
	}
	n := 0
	for _, b := range guide.All() {
		if strings.HasPrefix(string(b.ID), "response.") {
			n++
			require.True(t, served[b.ID], "no component serves %s", b.ID)
		}
	}
	require.GreaterOrEqual(t, n, 35)
	for id := range response.Runbooks {
		require.True(t, served[id], "%s", id)
	}
}

func TestRunbooksTellWhenAndUntilWhen(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob("runbooks/*.md")
	require.NoError(t, err)
	require.Len(t, found, len(response.RunbookNames()), "every file is the runbook of a bullet")
	for _, path := range found {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "# "), path)
		for _, part := range []string{"**When:**", "\n1. ", "**Done when:**"} {
			require.Contains(t, string(text), part, path)
		}
	}
}

func TestRunbooksAreDocuments(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := response.NewRunbooks(ctx, "runbooks", &response.RunbooksArgs{Prefix: "redoubt-dev", Tags: map[string]string{"owner": "security"}})
		return err
	}, graphtest.Preview())
	docs := g.ByType("aws:ssm/document:Document")
	require.Len(t, docs, len(response.RunbookNames()))
	d := g.One("aws:ssm/document:Document", "runbooks-train-team")
	require.Equal(t, "redoubt-dev-runbook-train-team", d.Input("name"))
	require.Equal(t, "Automation", d.Input("documentType"))
	content, _ := d.Input("content").(string)
	require.True(t, strings.HasPrefix(content, "schemaVersion: '0.3'\ndescription: |-\n  # Train the team: game day\n\n  **When:**"), content)
	require.True(t, strings.HasSuffix(content, "\nmainSteps:\n  - name: FollowTheRunbook\n    action: aws:pause\n    inputs: {}\n    isEnd: true\n"))
	require.NotContains(t, content, "\t", "YAML has no tabs")
}

func TestRunbooksNeedAPrefix(t *testing.T) {
	t.Parallel()
	for _, a := range []*response.RunbooksArgs{nil, {}, {Prefix: "Redoubt"}} {
		_, err := graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := response.NewRunbooks(ctx, "runbooks", a)
			return err
		})
		require.ErrorContains(t, err, "prefix:")
	}
}
