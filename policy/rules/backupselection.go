package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/policy/rule"
)

// inBackupPlan judges a resource of a stack that has a backup plan. A table with
// point-in-time recovery saves itself.
func inBackupPlan(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	selections := s.Of("backup/selection")
	if len(selections) == 0 || !slices.Contains(p.Strs("types"), r.Type) {
		return rule.Skip()
	}
	if on, _ := r.Get("pointInTimeRecovery.enabled").Bool(); on {
		return rule.Pass()
	}
	parts := []rule.Verdict{rule.Fail("no backup selection has the resource or one of its tags")}
	for _, selection := range selections {
		parts = append(parts, selected(s, selection, r))
	}
	return unless(rule.Any(parts...), r.Get("pointInTimeRecovery.enabled"))
}

// selected is the verdict of one selection: the resource or one of its tags is
// named, all conditions hold, and it is not left out.
func selected(s *rule.Stack, selection, r *rule.Resource) rule.Verdict {
	tags := tagsForBackup(r)
	parts := []rule.Verdict{rule.Fail("%s names neither the resource nor a tag of it", selection.Label())}
	for _, t := range selection.Get("selectionTags").Items() {
		parts = append(parts, tags.compare("stringEquals", t))
	}
	parts = append(parts, namedBy(s, selection, "resources", r))
	if selection.Get("resources").Empty() && selection.Get("selectionTags").Empty() && !selection.Get("conditions").Empty() {
		parts = append(parts, rule.Pass())
	}
	out := rule.Any(parts...)
	for _, operator := range []string{"stringEquals", "stringLikes", "stringNotEquals", "stringNotLikes"} {
		for _, c := range selection.Get("conditions").Each(operator) {
			out = rule.All(out, tags.compare(operator, c))
		}
	}
	if left := namedBy(s, selection, "notResources", r); left.Outcome == rule.Passed {
		return rule.Fail("notResources of %s leaves it out", selection.Label())
	} else if left.Outcome == rule.Undetermined {
		out = rule.All(out, left)
	}
	return out
}

// namedBy says whether a list of ARNs, with * for any text, has the resource.
func namedBy(s *rule.Stack, selection *rule.Resource, list string, r *rule.Resource) rule.Verdict {
	refs := s.Refs(selection, list, r.Type)
	if refs.Has(r) {
		return rule.Pass()
	}
	out := rule.Fail("%s does not name it", list)
	for _, v := range refs.External {
		pattern, _ := v.Str()
		out = rule.Any(out, arnCovers(pattern, r))
	}
	if refs.Unknown {
		out = rule.Any(out, rule.Unsure("%s of %s is unknown", list, selection.Label()))
	}
	return out
}

// arnCovers compares a pattern with what is known of the resource's ARN.
func arnCovers(pattern string, r *rule.Resource) rule.Verdict {
	if strings.Trim(pattern, "*") == "" {
		return rule.Pass()
	}
	parts := strings.SplitN(pattern, ":", 6)
	for _, k := range backupKinds {
		if !r.Is(k.typ) || len(parts) < 6 || !rule.WildcardMatch(parts[2], k.service) {
			continue
		}
		name, known := r.Get(k.name).Str()
		switch {
		case strings.Trim(strings.TrimPrefix(parts[5], k.kind), "*") == "", known && rule.WildcardMatch(parts[5], k.kind+name):
			return rule.Pass()
		case !known && strings.HasPrefix(parts[5], k.kind):
			return rule.Unsure("the name of %s is unknown", r.Label())
		}
	}
	return rule.Fail("%s is another resource", pattern)
}

// backupTags are a resource's own tags over those of its provider.
type backupTags struct {
	known   map[string]string
	unclear bool
}

func tagsForBackup(r *rule.Resource) backupTags {
	out := backupTags{known: map[string]string{}}
	defaults := r.Provider[resource.PropertyKey("defaultTags")]
	switch {
	case defaults.IsString(): // the engine sends a provider's blocks as JSON text
		var block struct{ Tags map[string]string }
		out.unclear = json.Unmarshal([]byte(defaults.StringValue()), &block) != nil
		for k, v := range block.Tags {
			out.known[k] = v
		}
	case !defaults.IsNull():
		out.unclear = true
	}
	own := r.Inputs["tags"]
	for own.IsSecret() {
		own = own.SecretValue().Element
	}
	out.unclear = out.unclear || own.IsComputed()
	if !own.IsObject() {
		return out
	}
	for key := range own.ObjectValue() {
		v := r.Get("tags").Get(string(key))
		if text, isText := v.Str(); isText {
			out.known[string(key)] = text
		}
		out.unclear = out.unclear || v.Unknown()
	}
	return out
}

// compare is the verdict of one tag of a selection.
func (t backupTags) compare(operator string, wanted rule.Value) rule.Verdict {
	key, ok := wanted.Get("key").Str()
	value, also := wanted.Get("value").Str()
	if !ok || !also {
		return rule.Unsure("%s is unknown", wanted.Path())
	}
	key = strings.TrimPrefix(key, "aws:ResourceTag/")
	have, there := t.known[key]
	if !there && t.unclear {
		return rule.Unsure("the tags are unknown")
	}
	equal := have == value
	if strings.HasSuffix(operator, "Likes") {
		equal = rule.WildcardMatch(value, have)
	}
	if there && equal != strings.Contains(operator, "Not") || !there && strings.Contains(operator, "Not") {
		return rule.Pass()
	}
	return rule.Fail("the tag %s does not meet %s", key, wanted.Path())
}
