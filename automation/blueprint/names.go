package blueprint

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// prefixLength is the longest start of a physical name: the longest that is made
// from it is a target group's, of 32 characters with "-65535".
const prefixLength = 26

// hashLength is how many hexadecimal digits tell stacks apart whose names begin
// alike.
const hashLength = 6

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// reservedStarts are starts of names that AWS keeps for itself, for buckets and
// load balancers.
var reservedStarts = []string{"internal-", "sthree-", "amzn-s3-demo-", "aws-", "xn-"}

// physicalPrefix starts every physical name of a stack, and is unique to it:
// "<project>-<stack>-<hash>", without the project where that is too long, and
// cut where the stack's name is. The hash is of the full name.
func physicalPrefix(organization, project, stack string, length int) string {
	room := length - hashLength - 1
	name := plainName(project + "-" + stack)
	if len(name) > room {
		name = plainName(stack)
	}
	if len(name) > room {
		name = strings.TrimRight(name[:room], "-")
	}
	sum := sha256.Sum256([]byte(organization + "/" + project + "/" + stack))
	return name + "-" + hex.EncodeToString(sum[:])[:hashLength]
}

// plainName has what every service of AWS takes: lower-case letters, digits and
// single hyphens, a letter first.
func plainName(text string) string {
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if name == "" || name[0] < 'a' {
		name = strings.TrimSuffix("s-"+name, "-")
	}
	for _, start := range reservedStarts {
		if strings.HasPrefix(name, start) {
			return "s-" + name
		}
	}
	return name
}

// prefixOf is the prefix of the stack that a program runs for.
func prefixOf(ctx *pulumi.Context) string {
	return physicalPrefix(ctx.Organization(), ctx.Project(), ctx.Stack(), prefixLength)
}
