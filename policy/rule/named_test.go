package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamedFindsByWhatIsWritten(t *testing.T) {
	t.Parallel()
	const group = "aws:cloudwatch/logGroup:LogGroup"
	logs := node(group, "logs", props{"name": str("/aws/lambda/orders")}, nil, nil)
	other := node(group, "other", props{"name": unknown}, props{"id": str("/aws/lambda/invoices")}, nil)
	bucket := node(bucketToken, "data", props{"bucket": str("/aws/lambda/orders")}, nil, nil)
	s := NewStack([]*Resource{logs, other, bucket})
	require.Equal(t, []*Resource{logs}, s.Named("/aws/lambda/orders", "cloudwatch/logGroup"))
	require.Equal(t, []*Resource{other}, s.Named("/aws/lambda/invoices", "cloudwatch/logGroup"))
	require.Equal(t, []*Resource{logs, bucket}, s.Named("/aws/lambda/orders", "cloudwatch/logGroup", "s3/bucket"))
	require.Empty(t, s.Named("/aws/lambda/nobody", "cloudwatch/logGroup"))
}
