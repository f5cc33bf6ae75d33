package rehearsal

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// config is what one provider instance was configured with. Each "aws" provider
// of a program has its own: that is how a program works in two regions.
type config struct {
	account, region string
	defaultTags     map[string]string
	ignoreKeys      []string
	ignorePrefixes  []string
}

var (
	accountID  = regexp.MustCompile(`^\d{12}$`)
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

// readConfig reads the provider's inputs. Objects come as JSON text, as Pulumi
// hands them to providers.
func (a *Account) readConfig(in resource.PropertyMap) (config, error) {
	in = plainMap(in)
	c := config{account: a.id, region: a.region}
	if r := in["region"]; r.IsString() && r.StringValue() != "" {
		c.region = r.StringValue()
	}
	if !regionName.MatchString(c.region) {
		return c, fmt.Errorf("aws:region: %q is not a region name such as eu-west-1", c.region)
	}
	allowed, err := list(in["allowedAccountIds"])
	if err != nil {
		return c, fmt.Errorf("aws:allowedAccountIds: %w", err)
	}
	if len(allowed) > 0 && !slices.Contains(allowed, c.account) {
		return c, fmt.Errorf("aws:allowedAccountIds: AWS account ID not allowed: %s (allowed: %s); open the rehearsal with one of these account ids, or leave the list out",
			c.account, strings.Join(allowed, ", "))
	}
	forbidden, err := list(in["forbiddenAccountIds"])
	if err != nil {
		return c, fmt.Errorf("aws:forbiddenAccountIds: %w", err)
	}
	if slices.Contains(forbidden, c.account) {
		return c, fmt.Errorf("aws:forbiddenAccountIds: AWS account ID not allowed: %s", c.account)
	}
	defaults, err := object(in["defaultTags"])
	if err != nil {
		return c, fmt.Errorf("aws:defaultTags: %w", err)
	}
	c.defaultTags = stringMap(defaults["tags"])
	ignore, err := object(in["ignoreTags"])
	if err != nil {
		return c, fmt.Errorf("aws:ignoreTags: %w", err)
	}
	c.ignoreKeys = stringsAt(ignore, "keys[*]")
	c.ignorePrefixes = stringsAt(ignore, "keyPrefixes[*]")
	return c, nil
}

// decoded is a provider input as a value: JSON text is parsed.
func decoded(v resource.PropertyValue) (resource.PropertyValue, error) {
	if !v.IsString() || v.StringValue() == "" {
		return v, nil
	}
	var parsed any
	if err := json.Unmarshal([]byte(v.StringValue()), &parsed); err != nil {
		return v, fmt.Errorf("is not JSON: %w", err)
	}
	return plainDeep(resource.NewPropertyValue(parsed)), nil
}

func object(v resource.PropertyValue) (resource.PropertyMap, error) {
	v, err := decoded(v)
	if err != nil || !v.IsObject() {
		return nil, err
	}
	return v.ObjectValue(), nil
}

func list(v resource.PropertyValue) ([]string, error) {
	v, err := decoded(v)
	if err != nil {
		return nil, err
	}
	return stringsAt(resource.PropertyMap{"list": v}, "list[*]"), nil
}

func stringMap(v resource.PropertyValue) map[string]string {
	out := map[string]string{}
	if v.IsObject() {
		for k, e := range v.ObjectValue() {
			if e = plain(e); e.IsString() {
				out[string(k)] = e.StringValue()
			}
		}
	}
	return out
}

// tagsAll is a resource's own tags over the provider's, without the ignored
// ones. It is computed if a tag is not known.
func (c config) tagsAll(tags resource.PropertyValue) resource.PropertyValue {
	tags = plain(tags)
	if tags.ContainsUnknowns() {
		return resource.MakeComputed(resource.NewProperty(resource.PropertyMap{}))
	}
	all := resource.PropertyMap{}
	for k, v := range c.defaultTags {
		all[resource.PropertyKey(k)] = resource.NewProperty(v)
	}
	if tags.IsObject() {
		for k, v := range tags.ObjectValue() {
			all[k] = plain(v)
		}
	}
	for k := range all {
		if slices.Contains(c.ignoreKeys, string(k)) || slices.ContainsFunc(c.ignorePrefixes, func(p string) bool { return strings.HasPrefix(string(k), p) }) {
			delete(all, k)
		}
	}
	return resource.NewProperty(all)
}
