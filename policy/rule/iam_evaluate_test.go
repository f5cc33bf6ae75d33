package rule

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConditionOperators(t *testing.T) {
	t.Parallel()
	with := func(values ...string) []string { return values }
	for _, c := range []struct {
		condition string
		values    []string
		want      bool
	}{
		{`{"StringEquals":{"k":["a","b"]}}`, with("b"), true},
		{`{"StringEquals":{"k":"a*"}}`, with("ab"), false},
		{`{"StringEquals":{"k":"a"}}`, nil, false},
		{`{"StringEqualsIfExists":{"k":"a"}}`, nil, true},
		{`{"StringEqualsIfExists":{"k":"a"}}`, with("b"), false},
		{`{"StringNotEquals":{"k":["a","b"]}}`, with("b"), false},
		{`{"StringNotEquals":{"k":["a","b"]}}`, with("c"), true},
		{`{"StringNotEquals":{"k":"a"}}`, nil, true},
		{`{"StringEqualsIgnoreCase":{"k":"A"}}`, with("a"), true},
		{`{"StringNotEqualsIgnoreCase":{"k":"A"}}`, with("a"), false},
		{`{"StringLike":{"k":"a?c*"}}`, with("abcd"), true},
		{`{"StringNotLike":{"k":"a*"}}`, with("abcd"), false},
		{`{"StringLike":{"k":"a*"}}`, with("*"), false},
		{`{"Bool":{"k":true}}`, with("true"), true},
		{`{"Bool":{"k":"false"}}`, nil, false},
		{`{"BoolIfExists":{"k":"false"}}`, nil, true},
		{`{"BinaryEquals":{"k":"QQ=="}}`, with("QQ=="), true},
		{`{"Null":{"k":"true"}}`, nil, true},
		{`{"Null":{"k":"true"}}`, with("x"), false},
		{`{"Null":{"k":false}}`, with("x"), true},
		{`{"NumericLessThan":{"k":"3600"}}`, with("10"), true},
		{`{"NumericLessThan":{"k":"3600"}}`, nil, false},
		{`{"NumericLessThanEquals":{"k":3600}}`, with("3600"), true},
		{`{"NumericGreaterThan":{"k":"1"}}`, with("1"), false},
		{`{"NumericGreaterThanEquals":{"k":"1"}}`, with("1"), true},
		{`{"NumericEquals":{"k":"1.0"}}`, with("1"), true},
		{`{"NumericNotEquals":{"k":"1"}}`, with("2"), true},
		{`{"NumericEquals":{"k":"one"}}`, with("1"), false},
		{`{"DateLessThan":{"k":"2026-07-01T00:00:00Z"}}`, with("2026-06-30"), true},
		{`{"DateGreaterThan":{"k":"2026-07-01T00:00:00Z"}}`, with("0"), false},
		{`{"IpAddress":{"k":["203.0.113.0/24","2001:db8::/32"]}}`, with("203.0.113.9"), true},
		{`{"IpAddress":{"k":"203.0.113.9"}}`, with("203.0.113.9"), true},
		{`{"NotIpAddress":{"k":"203.0.113.0/24"}}`, with("198.51.100.1"), true},
		{`{"NotIpAddress":{"k":"203.0.113.0/24"}}`, nil, true},
		{`{"ArnLike":{"k":"arn:aws:iam::*:role/deploy-*"}}`, with("arn:aws:iam::123456789012:role/deploy-app"), true},
		{`{"ArnEquals":{"k":"arn:*:role/deploy"}}`, with("arn:aws:iam::123456789012:role/deploy"), false},
		{`{"ArnNotLike":{"k":"arn:aws:iam::*:role/deploy-*"}}`, with("arn:aws:iam::123456789012:role/app"), true},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, with("a", "b"), true},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, with("a", "c"), false},
		{`{"ForAllValues:StringEquals":{"k":"a"}}`, nil, true},
		{`{"ForAnyValue:StringEquals":{"k":["a","b"]}}`, with("c", "b"), true},
		{`{"ForAnyValue:StringEquals":{"k":"a"}}`, nil, false},
		{`{"ForAnyValue:StringNotEquals":{"k":"a"}}`, nil, false},
		{`{"Sounds":{"k":"a"}}`, with("a"), false},
		{`{"StringEquals":{"k":"${aws:username}"}}`, with("ann"), true},
		{`{"StringEquals":{"k":"${aws:nobody}"}}`, with("ann"), false},
		{`{"StringEquals":{"k":"${aws:nobody, 'ann'}"}}`, with("ann"), true},
		{`{"StringLike":{"k":"a${*}c"}}`, with("abc"), false},
		{`{"StringLike":{"k":"a${*}c"}}`, with("a*c"), true},
		{`{"StringEquals":{"k":"${broken"}}`, with("${broken"), true},
	} {
		st := statement(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+c.condition+`}`)
		q := Request{Action: "s3:GetObject", Context: map[string][]string{"k": c.values, "aws:username": {"ann"}}}
		require.Equal(t, c.want, st.Applies(q), "%s with %v", c.condition, c.values)
	}
}

func TestStatementApplies(t *testing.T) {
	t.Parallel()
	object := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::data/ann/x", Context: map[string][]string{"aws:username": {"ann"}}}
	for text, want := range map[string]bool{
		`{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::data/*"}`:                                               true,
		`{"Effect":"Allow","Action":"S3:getobject","Resource":["x","arn:aws:s3:::data/${aws:username}/*"]}`:                    true,
		`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/${aws:userid}/*"}`:                            false,
		`{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}`:                                                            false,
		`{"Effect":"Allow","NotAction":"s3:Put*","NotResource":"arn:aws:s3:::logs/*"}`:                                         true,
		`{"Effect":"Allow","NotAction":"s3:Put*","NotResource":"arn:aws:s3:::data/*"}`:                                         false,
		`{"Effect":"Allow","Action":"s3:GetObject"}`:                                                                           true,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`:             false,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`:   true,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"AWS:UserName":"ann"},"Null":{"x":true}}}`: true,
	} {
		require.Equal(t, want, statement(t, text).Applies(object), text)
	}

	bound := statement(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`)
	object.AssumeMet = true
	require.True(t, bound.Applies(object))
	object.Context["aws:principalorgid"] = nil
	require.False(t, bound.Applies(object))
}

func TestVariablesAreOf2012(t *testing.T) {
	t.Parallel()
	doc, err := ParseDocument(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"${aws:username}"}}`)
	require.NoError(t, err)
	q := Request{Action: "s3:GetObject", Resource: "ann", Context: map[string][]string{"aws:username": {"ann"}}}
	require.False(t, doc.Denies(q))
	q.Resource = "${aws:username}"
	require.True(t, doc.Denies(q))
}

func TestDeniesTakesNoAllow(t *testing.T) {
	t.Parallel()
	doc, err := ParseDocument(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","NotAction":"iam:*","Resource":"*"}]}`)
	require.NoError(t, err)
	require.True(t, doc.Denies(Request{Action: "s3:GetObject", Resource: "x"}))
	require.False(t, doc.Denies(Request{Action: "iam:GetUser", Resource: "x"}))
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		principal Principal
		account   string
		whole     bool
	}{
		{Principal{"AWS", "123456789012"}, "123456789012", true},
		{Principal{"AWS", "arn:aws:iam::123456789012:root"}, "123456789012", true},
		{Principal{"AWS", "arn:aws-cn:iam::123456789012:role/path/root"}, "123456789012", false},
		{Principal{"AWS", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}, "", false},
		{Principal{"AWS", "AROAEXAMPLE"}, "", false},
		{Principal{"*", "*"}, "", false},
		{Principal{"Service", "arn:aws:iam::123456789012:root"}, "", false},
	} {
		require.Equal(t, c.account, c.principal.Account(), c.principal)
		require.Equal(t, c.whole, c.principal.WholeAccount(), c.principal)
	}
}

func TestWideResource(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"*": true, "**": true, "arn:aws:*": true, "arn:aws:s3:::*": true, "arn:aws:s3:::*/*": true, "arn:aws:s3:::data/*": false,
		"arn:aws:iam::*:role/*": true, "arn:aws:iam::123456789012:role/app-*": false, "arn:aws:iam::123456789012:role/app": false,
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:*": true, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/*": false,
		"arn:aws:kms:eu-west-1:123456789012:key/*": true, "arn:aws:sns:eu-west-1:123456789012:*": true, "": false, "arn": false,
	} {
		require.Equal(t, want, WideResource(pattern), pattern)
	}
}

func TestVerdictKeepsTheFirstReasons(t *testing.T) {
	t.Parallel()
	doc := Document{Statements: make([]Statement, 100)}
	for i := range doc.Statements {
		doc.Statements[i].Index = i
	}
	v := doc.Judge(func(st Statement) Verdict { return Fail("%s is wrong", st.Label()) })
	require.Len(t, v.Reasons, enough)
	require.Equal(t, "statement 1 is wrong", v.Reasons[0])
}

// TestWorkGrowsWithTheDocument counts what reading and judging a document
// allocates, which unlike time is always the same: ten times the document may
// take ten times as much, and no more.
func TestWorkGrowsWithTheDocument(t *testing.T) {
	work := func(n int) float64 {
		text := largeDocument(n)
		return testing.AllocsPerRun(3, func() {
			doc, err := ParseDocument(text)
			require.NoError(t, err)
			require.Equal(t, Failed, doc.Judge(everyQuestion).Outcome)
		})
	}
	require.LessOrEqual(t, work(700), 10*work(70)*1.1)
}

// largeDocument has n statements with everything that a statement can have.
func largeDocument(n int) string {
	statements := make([]map[string]any, n)
	for i := range statements {
		id := strconv.Itoa(i)
		statements[i] = map[string]any{
			"Sid": "S" + id, "Effect": "Deny", "NotAction": []string{"a:" + id + "*", "b:*"}, "NotResource": []string{"arn:" + id + "*"},
			"NotPrincipal": map[string]any{"AWS": []string{id}},
			"Condition":    map[string]any{"ForAllValues:StringNotLikeIfExists": map[string]any{"k": []string{id, "${aws:username}", "*" + id}}},
		}
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return string(text)
}

// everyQuestion asks a statement all that rules ask.
func everyQuestion(st Statement) Verdict {
	q := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::data/x", Context: map[string][]string{"k": {"v", "*"}, "aws:username": {"ann"}}}
	applies := st.Applies(q)
	q.AssumeMet = true
	if applies && !st.Applies(q) {
		return Pass()
	}
	st.Requires("k", "aws:*")
	st.Narrowed()
	st.AnyPrincipal()
	st.AnyResource()
	st.WideResources()
	return Fail("%s is judged, %s too", st.Label(), st.Quote(strings.Join(st.Actions, " ")))
}

// FuzzStatement asks statements of any text everything: no answer may panic,
// and what applies with nothing assumed applies with the rest assumed too.
func FuzzStatement(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"x","NotResource":["${aws:username}${*}${"],"Condition":{"ArnLike":{"k":"a:b:c:d:e:*"}}}}`, "v")
	f.Add(`{"Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*","Condition":{"Null":{"k":false},"IpAddress":{"k":"::/0"},"DateLessThan":{"k":1}}}]}`, "::1")
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["1","*"]},"Condition":{"ForAnyValue:NumericLessThanIfExists":{"k":["NaN","1e999"]}}}]}`, "NaN")
	f.Fuzz(func(t *testing.T, text, value string) {
		doc, err := ParseDocument(text)
		if err != nil {
			return
		}
		for _, st := range doc.Statements {
			q := Request{Action: "s3:GetObject", Resource: value, Context: map[string][]string{"k": {value}, "aws:username": {value}}}
			applies := st.Applies(q)
			if len(st.Conditions) == 0 {
				q.AssumeMet = true
				require.Equal(t, applies, st.Applies(q))
			}
			for _, p := range st.Principals {
				if p.WholeAccount() {
					require.Len(t, p.Account(), 12)
				}
			}
			require.Equal(t, Failed, everyQuestion(st).Outcome)
		}
		doc.Denies(Request{})
	})
}
