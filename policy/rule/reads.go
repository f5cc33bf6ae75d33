package rule

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Reads are the paths of a resource's inputs that checks have looked at:
// whether something is set there, or what it is. Passing a value by on the way
// to what stands in it is no look.
type Reads map[string]bool

// Watched returns the resource with a list that its checks will fill: for tests
// that ask what a rule goes by.
func (r Resource) Watched() (*Resource, Reads) {
	r.reads = Reads{}
	return &r, r.reads
}

// inputs are the resource's inputs as one value.
func (r *Resource) inputs() Value {
	return Value{v: resource.NewObjectProperty(r.Inputs), reads: r.reads}
}

// read is what stands here, for an accessor that tells the caller about it.
func (v Value) read() resource.PropertyValue {
	if v.reads != nil {
		v.reads[v.path] = true
	}
	return v.v
}
