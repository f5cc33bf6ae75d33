package rule

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func statement(t testing.TB, json string) Statement {
	t.Helper()
	doc, err := ParseDocument(`{"Version":"2012-10-17","Statement":` + json + `}`)
	require.NoError(t, err)
	require.Len(t, doc.Statements, 1)
	return doc.Statements[0]
}

func TestParseDocumentReadsStringOrList(t *testing.T) {
	t.Parallel()
	one := statement(t, `{"Sid":"S","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}`)
	require.Equal(t, []string{"s3:GetObject"}, one.Actions)
	require.Equal(t, []Principal{{"*", "*"}}, one.Principals)
	require.Equal(t, `statement 1 ("S")`, one.Label())

	many := statement(t, `[{"Effect":"Deny","NotPrincipal":{"Service":["b","a"],"AWS":"1"},"NotAction":["a","b"],"NotResource":["x"],
		"Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a"]},"Bool":{"aws:SecureTransport":false}}}]`)
	require.Equal(t, []Principal{{"AWS", "1"}, {"Service", "b"}, {"Service", "a"}}, many.NotPrincipals)
	require.Equal(t, []Condition{
		{Operator: "bool", Key: "aws:securetransport", Values: []string{"false"}},
		{Operator: "stringlike", IfExists: true, ForAll: true, Key: "aws:tagkeys", Values: []string{"a"}},
	}, many.Conditions)
}

func TestParseDocumentSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                   "not a JSON object",
		`[]`:                                 "not a JSON object",
		`{}`:                                 "no Statement",
		`{"Statement":7}`:                    "neither an object nor a list",
		`{"Statement":[7]}`:                  "Statement[0]: it is not a statement object",
		`{"Statement":[{"Effect":"Maybe"}]}`: "Effect must be Allow or Deny",
		`{"Statement":[{"Effect":"Allow","Action":{}}]}`:                     "Action must be a string or a list of strings",
		`{"Statement":[{"Effect":"Allow","Principal":"arn"}]}`:               `Principal must be "*" or an object`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":{}}}]}`:          "Principal.AWS must be",
		`{"Statement":[{"Effect":"Allow","Condition":{"Bool":{"k":[{}]}}}]}`: "Condition.Bool.k must be",
	} {
		_, err := ParseDocument(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestStatementMeaning(t *testing.T) {
	t.Parallel()
	st := statement(t, `{"Effect":"Allow","NotAction":["iam:*"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::b/*"]}`)
	require.True(t, st.Grants("s3:GetObject"))
	require.False(t, st.Grants("IAM:PassRole"))
	require.False(t, st.AnyResource())
	require.False(t, st.AnyPrincipal())
	require.False(t, statement(t, `{"Effect":"Allow","Resource":"*"}`).Grants("s3:GetObject"))
}

func TestNarrowedAsksForAConditionThatBinds(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		`{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`:                   true,
		`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}}`:    true,
		`{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}`:                  true,
		`{"IpAddress":{"aws:SourceIp":["203.0.113.0/24"]}}`:               true,
		`{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}`:   false,
		`{"StringLike":{"aws:PrincipalArn":"*"}}`:                         false,
		`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}`:           false,
		`{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/*"}}`: false,
		`{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`:                false,
		`{"StringEquals":{"aws:PrincipalOrgID":[]}}`:                      false,
		`{"Bool":{"aws:SecureTransport":"true"}}`:                         false,
		`{"Null":{"aws:PrincipalOrgID":"false"}}`:                         false,
	} {
		st := statement(t, `{"Effect":"Allow","Principal":"*","Condition":`+condition+`}`)
		require.Equal(t, want, st.Narrowed(), condition)
	}
}

func TestReadDocument(t *testing.T) {
	t.Parallel()
	r := res(resource.PropertyMap{
		"object": resource.NewPropertyValue(map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Sid": "S", "Action": "s3:*"}}}),
		"secret": resource.MakeSecret(resource.NewStringProperty(`{"Statement":{"Effect":"Allow","Sid":"S","Action":"s3:*"}}`)),
		"later":  unknown,
		"broken": resource.NewStringProperty("{"),
	})
	doc, v := r.Document("object")
	require.Equal(t, Passed, v.Outcome)
	require.True(t, doc.Statements[0].Grants("s3:ListBucket"))

	doc, v = r.Document("secret")
	require.Equal(t, Passed, v.Outcome)
	require.Equal(t, "statement 1", doc.Statements[0].Label())
	require.Equal(t, "[secret]", doc.Statements[0].Quote("s3:*"))

	for path, want := range map[string]Outcome{"later": Undetermined, "broken": Undetermined, "none": NotApplicable} {
		_, v = r.Document(path)
		require.Equal(t, want, v.Outcome, path)
	}
}

func TestWildcardMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"*", "", true},
		{"*", "anything", true},
		{"s3:Get*", "s3:GetObject", true},
		{"s3:Get*", "s3:PutObject", false},
		{"*::logs", "urn:pulumi:dev::p::aws:s3/bucketV2:BucketV2::logs", true},
		{"*::logs", "urn::logs::other", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxcyyb", false},
		{"[a]", "a", false},
	} {
		require.Equal(t, c.want, WildcardMatch(c.pattern, c.text), "%s on %s", c.pattern, c.text)
	}
}

// FuzzParseDocument holds the parser to three promises: it never panics, what
// it accepts has only Allow and Deny, and every judgement of it ends.
func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:*"],"Resource":"*","Condition":{"Bool":{"a":"b"}}}]}`,
		`{"Statement":{"Effect":"Deny","NotAction":"x","NotPrincipal":"*","NotResource":["y"]}}`,
		`{"Statement":[{"Effect":"Allow","Condition":{"ForAllValues:StringEqualsIfExists":{"K":[1,true,"x"]}}}]}`,
		`{"Statement":null}`, `[]`, `{"Version":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := ParseDocument(text)
		if err != nil {
			require.NotContains(t, err.Error(), "invalid character", "a bare library error")
			return
		}
		for _, st := range doc.Statements {
			require.Contains(t, []string{"Allow", "Deny"}, st.Effect)
			if st.Narrowed() {
				require.NotEmpty(t, st.Conditions)
			}
			require.Equal(t, strings.HasPrefix(st.Label(), "statement "), true)
			st.Grants("s3:GetObject")
		}
	})
}

// FuzzWildcardMatch checks the matcher against two laws of globbing.
func FuzzWildcardMatch(f *testing.F) {
	f.Add("*::logs", "urn::logs")
	f.Add("a?c*", "abcd")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !strings.ContainsAny(pattern, "*?") {
			require.Equal(t, pattern == text, WildcardMatch(pattern, text))
		}
		require.True(t, WildcardMatch("*"+text+"*", text))
		if WildcardMatch(pattern, text) {
			require.True(t, WildcardMatch(pattern+"*", text+"suffix"))
		}
	})
}
