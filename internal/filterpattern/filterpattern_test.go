package filterpattern_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/filterpattern"
)

const event = `{"eventSource":"s3.amazonaws.com","eventName":"PutBucketAcl","eventType":"AwsApiCall","errorCode":"Client.UnauthorizedOperation",
	"userIdentity":{"type":"Root","mfa":false},"resources":[{"name":"data"}],"status":429,"nothing":null}`

func TestMatches(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder(bytes.NewReader([]byte(event)))
	d.UseNumber()
	var fields map[string]any
	require.NoError(t, d.Decode(&fields))
	for pattern, want := range map[string]bool{
		`{ $.eventName = PutBucketAcl }`:                                                                         true,
		`{($.eventName=DeleteBucket)||($.eventName="PutBucketAcl")}`:                                             true,
		`{($.eventSource=s3.amazonaws.com) && (($.eventName=PutBucketPolicy) || ($.eventName=PutBucket*))}`:      true,
		`{ $.eventName = DeleteBucket || $.eventName = PutBucketAcl && $.eventSource = iam* }`:                   false,
		`{ ($.eventName = PutBucketAcl || $.eventName = DeleteBucket) && $.eventSource = s3* }`:                  true,
		`{ $.errorCode = "*UnauthorizedOperation" }`:                                                             true,
		`{ $.errorCode = "*Unauthorized*Client" }`:                                                               false,
		`{ $.errorCode != "AccessDenied*" }`:                                                                     true,
		`{ $.absent != "x" }`:                                                                                    false,
		`{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}`: true,
		`{ $.userIdentity.type EXISTS }`:                                                                         true,
		`{ $.userIdentity NOT EXISTS }`:                                                                          false,
		`{ $.nothing IS NULL }`:                                                                                  true,
		`{ $.userIdentity.mfa IS FALSE }`:                                                                        true,
		`{ $.userIdentity.mfa IS TRUE }`:                                                                         false,
		`{ $.resources[0].name = "data" }`:                                                                       true,
		`{ $.resources[1].name = "data" }`:                                                                       false,
		`{ $['eventName'] = "PutBucketAcl" }`:                                                                    true,
		`{ $.status >= 400 && $.status < 500 }`:                                                                  true,
		`{ $.status = 429 }`:                                                                                     true,
		`{ $.status > 429 }`:                                                                                     false,
		`{ $.eventName > 1 }`:                                                                                    false,
		`PutBucketAcl Root`:                                                                                      true,
		`PutBucketAcl -Root`:                                                                                     false,
		`?DeleteBucket ?"PutBucketAcl"`:                                                                          true,
		`?DeleteBucket`:                                                                                          false,
		``:                                                                                                       true,
		`[version, account, eni, action="REJECT", ...]`:                                                          false,
	} {
		p, err := filterpattern.Compile(pattern)
		require.NoError(t, err, pattern)
		require.Equal(t, want, p.Matches(fields), pattern)
	}
}

func TestCompileSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`{ $.a = 1`:           "does not end with }",
		`{ a = 1 }`:           "expected a selector",
		`{ $.a }`:             "expected a comparison",
		`{ ($.a = 1 }`:        "expected )",
		`{ $.a = 1 $.b = 2 }`: "expected && or ||",
		`{ $.a = "x }`:        "expected a closing quote",
		`{ $.a > x }`:         "expected a number after >",
		`{ $.a = %x% }`:       "no regular expression",
		`%x%`:                 "regular expression",
		`"x`:                  "no closing quote",
	} {
		_, err := filterpattern.Compile(pattern)
		require.ErrorContains(t, err, want, pattern)
	}
}
