package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/internal/eventpattern"
)

// samples are events that a rule must hear of, and near misses.
type samples struct {
	Matches []json.RawMessage `json:"matches"`
	Misses  []json.RawMessage `json:"misses"`
}

func readSamples(t *testing.T, rule string) samples {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "events", rule+".json"))
	require.NoError(t, err)
	var s samples
	require.NoError(t, json.Unmarshal(text, &s))
	return s
}

func TestEveryRuleHearsItsEventsAndNoOthers(t *testing.T) {
	t.Parallel()
	rules, err := alertRules()
	require.NoError(t, err)
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			text, err := r.eventPattern([]string{"arn:aws:iam::123456789012:role/deploy"})
			require.NoError(t, err)
			pattern, err := eventpattern.Compile([]byte(text))
			require.NoError(t, err)
			events := readSamples(t, r.Name)
			require.NotEmpty(t, events.Matches)
			require.NotEmpty(t, events.Misses)
			for _, event := range events.Matches {
				hit, err := pattern.Matches(event)
				require.NoError(t, err)
				require.True(t, hit, "%s", event)
			}
			for _, event := range events.Misses {
				hit, err := pattern.Matches(event)
				require.NoError(t, err)
				require.False(t, hit, "%s", event)
			}
		})
	}
}

// No sample without its rule: a renamed rule would otherwise lose its test.
func TestEverySampleHasItsRule(t *testing.T) {
	t.Parallel()
	rules, err := alertRules()
	require.NoError(t, err)
	known := map[string]bool{}
	for _, r := range rules {
		require.False(t, known[r.Name], "%s twice", r.Name)
		known[r.Name] = true
	}
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(rules))
	for _, file := range files {
		require.True(t, known[strings.TrimSuffix(filepath.Base(file), ".json")], file)
	}
}

func TestDeploymentsTellNobodyAndOthersStillDo(t *testing.T) {
	t.Parallel()
	const deploy = "arn:aws:iam::123456789012:role/ci/deploy"
	event := func(identity string) []byte {
		return []byte(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"ec2.amazonaws.com","eventName":"CreateSecurityGroup","userIdentity":` + identity + `}}`)
	}
	rules, err := alertRules()
	require.NoError(t, err)
	text, err := rules[0].eventPattern([]string{deploy})
	require.NoError(t, err)
	pattern, err := eventpattern.Compile([]byte(text))
	require.NoError(t, err)
	for identity, want := range map[string]bool{
		`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"` + deploy + `"}}}`:                             false,
		`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::123456789012:role/ci/deployer"}}}`: true,
		`{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/alice"}`:                                                true,
		`{"type":"Root","arn":"arn:aws:iam::123456789012:root"}`:                                                         true,
	} {
		hit, err := pattern.Matches(event(identity))
		require.NoError(t, err)
		require.Equal(t, want, hit, identity)
	}
}

// What the deploy roles do to keys, audit and credentials is never left out.
func TestDeployRolesAreHeardWhereItMatters(t *testing.T) {
	t.Parallel()
	rules, err := alertRules()
	require.NoError(t, err)
	loud := []string{"iam-credential-changes", "root-usage-api", "root-usage-signin", "kms-key-deletion", "audit-tampering"}
	for _, r := range rules {
		for _, name := range loud {
			require.False(t, r.Name == name && r.Deploys, name)
		}
	}
}

func TestTooManyDeployRolesAreReported(t *testing.T) {
	t.Parallel()
	rules, err := alertRules()
	require.NoError(t, err)
	_, err = rules[0].eventPattern([]string{strings.Repeat("x", 2048)})
	require.ErrorContains(t, err, "rule security-group-changes: pattern:")
	require.ErrorContains(t, err, "EventBridge takes 2048")
}

var placeholder = regexp.MustCompile(`<([a-z]+)>`)

// Every sentence is one JSON string whose names all have paths, and each path
// finds something in the rule's first event.
func TestSentencesAreFilled(t *testing.T) {
	t.Parallel()
	rules, err := renderRules("redoubt-dev", nil, func(alertRule) bool { return true })
	require.NoError(t, err)
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			var text string
			require.NoError(t, json.Unmarshal([]byte(r.sentence), &text))
			require.True(t, strings.HasPrefix(text, "["+strings.ToUpper(string(r.Level))+" redoubt-dev] "+r.Title+". "), text)
			var event any
			require.NoError(t, json.Unmarshal(readSamples(t, r.Name).Matches[0], &event))
			used := map[string]bool{}
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				path, ok := r.paths[m[1]]
				require.True(t, ok, "<%s> has no path", m[1])
				require.NotNil(t, find(event, path), "%s is not in the sample event", path)
				used[m[1]] = true
			}
			require.Len(t, used, len(r.paths), "paths that the sentence does not use: EventBridge refuses none, readers miss them")
		})
	}
}

// find reads a JSON path of names and [0].
func find(v any, path string) any {
	for _, key := range strings.Split(strings.TrimPrefix(path, "$."), ".") {
		key, index := strings.CutSuffix(key, "[0]")
		object, _ := v.(map[string]any)
		v = object[key]
		if list, ok := v.([]any); index && ok && len(list) > 0 {
			v = list[0]
		}
	}
	return v
}

// Each alert that the guide lists has a rule or an alarm.
func TestEveryAlertOfTheGuideIsThere(t *testing.T) {
	t.Parallel()
	there := map[guide.ID]bool{}
	rules, err := alertRules()
	require.NoError(t, err)
	for _, r := range rules {
		if r.Guide != "" {
			_, ok := guide.Lookup(r.Guide)
			require.True(t, ok, "%s names %s", r.Name, r.Guide)
			there[r.Guide] = true
		}
	}
	for _, id := range alarmGuides(t) {
		there[id] = true
	}
	for _, b := range guide.All() {
		id := string(b.ID)
		if strings.HasPrefix(id, "operations.high.") || strings.HasPrefix(id, "operations.medium.") || strings.HasPrefix(id, "operations.low.") {
			require.True(t, there[b.ID], "nothing alerts on %s", id)
		}
	}
}
