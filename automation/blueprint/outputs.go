package blueprint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Output is one thing that a stack publishes for people and for other stacks.
type Output struct{ Name, Meaning string }

// publish exports what a blueprint says that its stacks publish: all of it, and
// nothing else.
func publish(ctx *pulumi.Context, outputs []Output, values pulumi.Map) error {
	var wrong []string
	for _, o := range outputs {
		value, ok := values[o.Name]
		if !ok {
			wrong = append(wrong, o.Name+" has no value")
			continue
		}
		ctx.Export(o.Name, value)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.ContainsFunc(outputs, func(o Output) bool { return o.Name == name }) {
			wrong = append(wrong, name+" is not among the outputs")
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("outputs of the blueprint: %s", strings.Join(wrong, ", "))
	}
	return nil
}
