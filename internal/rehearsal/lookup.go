package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lookups are the arguments by which functions that look a resource up choose
// it, with the property of the resource that each is compared to.
var lookups = map[string]string{
	"id": "", "arn": "arn", "name": "name", "bucket": "bucket", "vpcId": "vpcId", "cidrBlock": "cidrBlock", "keyId": "keyId",
	"availabilityZone": "availabilityZone", "zoneId": "zoneId", "clusterIdentifier": "clusterIdentifier", "clusterName": "name",
	"domainName": "domainName", "tags": "tags", "filters": "",
}

// lookUp answers a function such as aws:ec2/getVpc:getVpc with the live resource
// of the type aws:ec2/vpc:Vpc that fits its arguments. It is false if there is no
// such type.
func (c *call) lookUp(token string) (props, bool, error) {
	module, name, ok := functionParts(token)
	if !ok {
		return nil, false, nil
	}
	var found []*record
	known := false
	for _, suffix := range []string{"", "V2"} {
		typ := "aws:" + module + "/" + strings.ToLower(name[:1]) + name[1:] + suffix + ":" + name + suffix
		if !knownType(typ) {
			continue
		}
		known = true
		for _, r := range c.all(typ) {
			if c.fits(r) {
				found = append(found, r)
			}
		}
	}
	switch {
	case !known:
		return nil, false, nil
	case len(found) == 0:
		return nil, true, fmt.Errorf("rehearsal: %s: no live %s fits %s; a rehearsal knows only what was created in it, so pass what lives outside of the stack as configuration", token, name, c.arguments())
	case len(found) > 1:
		return nil, true, fmt.Errorf("rehearsal: %s: %d live resources fit %s; give an id or more arguments", token, len(found), c.arguments())
	}
	out := props{"id": found[0].id}
	for k, v := range plainMap(found[0].outputs) {
		out[string(k)] = v
	}
	if name == "Secret" || name == "Key" || name == "Alias" {
		out["id"] = found[0].arn()
	}
	return out, true, nil
}

// functionParts gives "ec2" and "Vpc" of "aws:ec2/getVpc:getVpc".
func functionParts(token string) (module, name string, ok bool) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return "", "", false
	}
	module, _, _ = strings.Cut(parts[1], "/")
	name, ok = strings.CutPrefix(parts[2], "get")
	return module, name, ok && name != ""
}

// fits is true if a live resource is what all given arguments say.
func (c *call) fits(r *record) bool {
	for argument, v := range c.in {
		property, chooses := lookups[string(argument)]
		switch {
		case !chooses || v.IsNull():
		case argument == "id":
			if v.IsString() && v.StringValue() != r.id {
				return false
			}
		case argument == "filters":
			if !c.filtered(r) {
				return false
			}
		case argument == "tags":
			for k, tag := range stringMap(v) {
				if stringMap(plain(r.outputs["tagsAll"]))[k] != tag {
					return false
				}
			}
		case v.IsString():
			if s, _ := text(r.outputs, property); s != v.StringValue() && v.StringValue() != r.id {
				return false
			}
		}
	}
	return true
}

// filters that functions can use, with the property that each is about.
var filterNames = map[string]string{
	"vpc-id": "vpcId", "cidr-block": "cidrBlock", "cidr": "cidrBlock", "availability-zone": "availabilityZone", "group-name": "name", "owner-id": "ownerId",
}

func (c *call) filtered(r *record) bool {
	for _, f := range valuesAt(c.in, "filters[*]") {
		if !f.IsObject() {
			continue
		}
		name, _ := text(f.ObjectValue(), "name")
		values := stringsAt(f.ObjectValue(), "values[*]")
		is := r.id
		if tag, ok := strings.CutPrefix(name, "tag:"); ok {
			is = stringMap(plain(r.outputs["tagsAll"]))[tag]
		} else if property, ok := filterNames[name]; ok {
			is, _ = text(r.outputs, property)
		} else if !strings.HasSuffix(name, "-id") {
			continue
		}
		if !slices.ContainsFunc(values, func(p string) bool { return matches(p, is) }) {
			return false
		}
	}
	return true
}

// arguments says what a function was asked, for messages.
func (c *call) arguments() string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.in)) {
		if s, ok := text(c.in, string(k)); ok {
			out = append(out, fmt.Sprintf("%s=%s", k, s))
		}
	}
	if len(out) == 0 {
		return "the arguments"
	}
	return strings.Join(out, ", ")
}
