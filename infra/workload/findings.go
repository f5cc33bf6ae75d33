package workload

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// findings collects what is wrong with a component's arguments, each as
// "field: why (fix)", so that one run reports all of it.
type findings []error

func (f *findings) refuse(wrong bool, format string, a ...any) {
	if wrong {
		*f = append(*f, fmt.Errorf(format, a...))
	}
}

func (f *findings) scope(s identity.Scope) {
	f.refuse(s.Partition == "" || s.Region == "" || len(s.AccountID) != 12, "scope: %+v (partition, region and twelve digits)", s)
}

func (f *findings) err() error { return errors.Join(*f...) }

// withName returns the tags with the Name that the console shows.
func withName(tags map[string]string, name string) pulumi.StringMap {
	out := pulumi.ToStringMap(tags)
	out["Name"] = pulumi.String(name)
	return out
}
