package rehearsal

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// props are property names with the values that the tables give them: a
// template (see template.go), a literal, props, []any, func(*call) any, or fresh.
type props map[string]any

// fresh is a value that follows from the inputs and is made anew at every update.
type fresh func(c *call) any

// kind is what the account knows of one resource type: a row of a service
// table. Everything but token is optional; what is left out behaves as for a
// type that is not modelled.
type kind struct {
	token string
	// noun is what the provider calls it in errors: "EC2 Subnet".
	noun string
	// service and action name the API calls in errors: "EC2" and "Subnet" give
	// "operation error EC2: CreateSubnet".
	service, action string
	// call is the API call that creates and updates, if it is not named after the
	// action: "PutBucketPolicy".
	call string
	// global is for services without regions; everywhere is for what lives in a
	// region but is known by its id in all of them.
	global, everywhere bool

	// id and arn are templates.
	id, arn string
	// computed are outputs that AWS decides: not known at preview.
	computed props
	// defaults are the provider's own defaults: inputs after Check.
	defaults props
	// words are placeholders of this type's own, for its templates.
	words map[string]func(*call) string
	// handles are further values that others refer to it by, besides id and arn.
	handles []string
	// overwrites is the page or issue that says that creating one that is there
	// already changes it, and that AWS says nothing about it; empty where AWS
	// refuses. See Account.Overwritten.
	overwrites string
	// once is true for what a refusal of its own keeps unique.
	once bool
	// implies are resources that come with this one and have no resource of
	// their own: type → output that holds the id.
	implies map[string]string

	// replaces are inputs whose change makes a new resource, besides those that
	// the schema knows and the name.
	replaces []string
	// updates are inputs that change in place although they are its name, or
	// the schema says otherwise.
	updates []string

	refs    []ref
	unique  []unique
	limits  []limit
	refuses []refusal
	blocks  []block
}

// unique says that a key is taken at most once.
type unique struct {
	key           string // template
	code, message string
	everywhere    bool // in all regions
}

// block is what stands in the way of deleting: a dependent of one of these types
// (all types if there are none), unless the resource's property `unless` is true.
type block struct {
	by            []string
	unless        string
	code, message string
	status        int
}

// kinds is every modelled type by token. It is filled by init, because the
// tables hold functions that look types up.
var kinds map[string]*kind

func init() {
	kinds = map[string]*kind{}
	for _, table := range tables {
		for i := range table {
			k := &table[i]
			if _, twice := kinds[k.token]; twice {
				panic("rehearsal: two rows for " + k.token)
			}
			kinds[k.token] = k
		}
	}
}

// kindOf is the row of a type, or one made up for a type that has none.
func kindOf(token string) (k *kind, modelled bool) {
	if k, ok := kinds[token]; ok {
		return k, true
	}
	service, name := splitToken(token)
	return &kind{
		token: token, noun: strings.ToUpper(service) + " " + name,
		service: strings.ToUpper(service), action: name, global: globalServices[service],
	}, false
}

// splitToken gives "ec2" and "Vpc" of "aws:ec2/vpc:Vpc".
func splitToken(token string) (service, name string) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return "aws", token
	}
	service, _, _ = strings.Cut(parts[1], "/")
	return service, parts[2]
}

// globalServices have one endpoint for all regions.
var globalServices = map[string]bool{
	"iam": true, "route53": true, "cloudfront": true, "organizations": true,
	"shield": true, "globalaccelerator": true, "budgets": true, "waf": true, "account": true,
	"route53domains": true, "costexplorer": true,
}

// Modelled is the tokens of the types that have behaviour of their own, sorted.
func Modelled() []string { return slices.Sorted(maps.Keys(kinds)) }

func has(m resource.PropertyMap, name string) bool {
	v, ok := m[resource.PropertyKey(name)]
	return ok && !plain(v).IsNull()
}
