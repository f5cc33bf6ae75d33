package identity

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var scope = Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}

func TestScopeComposesARNs(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"arn:aws:logs:eu-central-1:123456789012:log-group:/app/dev/api": scope.ARN("logs", "log-group:/app/dev/api"),
		"arn:aws:iam::123456789012:role/redoubt-dev-task":               scope.RoleARN("redoubt-dev-task"),
		"arn:aws:iam::123456789012:root":                                scope.Root(),
		"arn:aws:s3:::redoubt-dev-data":                                 scope.GlobalARN("s3", "redoubt-dev-data"),
		"arn:aws:kms:eu-west-1:123456789012:key/*":                      scope.In("eu-west-1").ARN("kms", "key/*"),
		"arn:aws-cn:s3:::data":                                          Scope{Partition: "aws-cn"}.GlobalARN("s3", "data"),
		"s3.eu-central-1.amazonaws.com":                                 scope.RegionalService("s3"),
		"logs.cn-north-1.amazonaws.com.cn":                              Scope{Partition: "aws-cn", Region: "cn-north-1"}.RegionalService("logs"),
	} {
		require.Equal(t, want, got)
	}
	require.Equal(t, "eu-central-1", scope.Region, "In returns a copy")
}

func TestJSONIsCompactAndTheSameEveryTime(t *testing.T) {
	t.Parallel()
	doc := Document{{
		Sid: "ReadData", Effect: Allow,
		Actions:   []string{"s3:GetObject", "s3:GetObjectVersion"},
		Resources: []string{"arn:aws:s3:::redoubt-dev-data/<tenant>/*"},
		Conditions: []Condition{
			{"StringEquals", "aws:SourceVpc", []string{"vpc-1"}},
			{"Bool", "aws:SecureTransport", []string{"true"}},
			{"StringEquals", "aws:PrincipalTag/team", []string{"a", "b"}},
		},
	}}
	want := `{"Version":"2012-10-17","Statement":[{"Sid":"ReadData","Effect":"Allow",` +
		`"Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::redoubt-dev-data/<tenant>/*",` +
		`"Condition":{"Bool":{"aws:SecureTransport":"true"},` +
		`"StringEquals":{"aws:PrincipalTag/team":["a","b"],"aws:SourceVpc":"vpc-1"}}}]}`
	for range 20 {
		got, err := doc.IdentityPolicy()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestPrincipalsInThePolicyLanguage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		principals Principals
		want       string
	}{
		"everyone": {Principals{Any: true}, `"*"`},
		"account":  {Principals{AWS: []string{scope.Root()}}, `{"AWS":"arn:aws:iam::123456789012:root"}`},
		"services": {
			Principals{Service: []string{"sns.amazonaws.com", "events.amazonaws.com"}},
			`{"Service":["sns.amazonaws.com","events.amazonaws.com"]}`,
		},
		"provider": {Principals{Federated: []string{"cognito-identity.amazonaws.com"}}, `{"Federated":"cognito-identity.amazonaws.com"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(Document{{Effect: Deny, Principals: tc.principals, Actions: []string{"sqs:*"}, Resources: []string{"*"}}})
			require.NoError(t, err)
			require.Contains(t, string(text), `"Principal":`+tc.want+`,`)
			var back Document
			require.NoError(t, json.Unmarshal(text, &back))
			require.Equal(t, tc.principals, back[0].Principals)
		})
	}
}

func TestReadingRefusesOldLanguageVersions(t *testing.T) {
	t.Parallel()
	var doc Document
	err := json.Unmarshal([]byte(`{"Version":"2008-10-17","Statement":[]}`), &doc)
	require.ErrorContains(t, err, `"2008-10-17" is not "2012-10-17"`)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"Version":7}`), &doc), "IAM policy grammar")
}

func TestSizeDoesNotCountWhiteSpace(t *testing.T) {
	t.Parallel()
	require.Equal(t, 4, Size("a b\n\tc d "))
}

func TestDocumentsOverTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	for kind, rules := range kinds {
		doc := Document{{Sid: "Long", Effect: Deny, Actions: []string{"s3:GetObject"}}}
		if rules.principal {
			doc[0].Principals = Principals{Any: true}
		}
		if rules.resource {
			doc[0].Resources = []string{"arn:aws:s3:::" + strings.Repeat("x", rules.limit)}
		} else {
			doc[0].Conditions = []Condition{{"StringEquals", "aws:PrincipalTag/t", []string{strings.Repeat("x", rules.limit)}}}
		}
		_, err := doc.JSON(kind)
		require.ErrorContains(t, err, "characters without white space", kind)
		require.ErrorContains(t, err, "split the policy", kind)
	}
}

// FuzzRoundTrip writes documents made of arbitrary text and reads them back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("Sid1", "s3:GetObject", "arn:aws:s3:::b/*", "StringLike", "aws:PrincipalTag/a", "x", "y", false)
	f.Add("", "*", "*", "Bool", "aws:SecureTransport", "<&>\u2028", "\"", true)
	f.Fuzz(func(t *testing.T, sid, action, resource, test, key, one, two string, everyone bool) {
		// JSON has no bytes outside UTF-8: they would come back as U+FFFD.
		for _, s := range []*string{&sid, &action, &resource, &test, &key, &one, &two} {
			*s = strings.ToValidUTF8(*s, "?")
		}
		doc := Document{{
			Sid: sid, Effect: Deny, Principals: Principals{Any: everyone},
			Actions: []string{action}, Resources: []string{resource, one},
			Conditions: []Condition{{test, key, []string{one, two}}},
		}, {
			Effect: Allow, NotActions: []string{action, two}, NotResources: []string{resource},
		}}
		text, err := json.Marshal(doc)
		require.NoError(t, err)
		var back Document
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, doc, back)
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}
