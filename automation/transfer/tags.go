package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"
)

// Tags that say where a stack came from. History stays behind.
const (
	tagFrom       = "moved:from"
	tagLastUpdate = "moved:last-update"
)

// tags returns a stack's.
func (s *side) tags(ctx context.Context, n Name) (map[string]string, error) {
	if s.service != nil {
		stack, err := s.service.stack(ctx, n)
		out := map[string]string{}
		for name, value := range stack.Tags {
			out[string(name)] = value
		}
		return out, err
	}
	text, err := s.cli.run(ctx, call{args: []string{"stack", "tag", "ls", "--json", "--stack", n.String()}})
	if err != nil {
		return nil, err
	}
	var out map[string]string
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, errors.New("the Pulumi CLI lists tags in a form that is not known here")
	}
	return out, nil
}

// carried are the tags that a stack gets on the other side.
func carried(from map[string]string, source Side, l listed) map[string]string {
	out := maps.Clone(from)
	if out == nil {
		out = map[string]string{}
	}
	if _, again := out[tagFrom]; again {
		// It has moved before: where it began and what it was then are worth more.
		return out
	}
	const limit = 256
	if where := origin(source.URL); len(where) <= limit {
		out[tagFrom] = where
	}
	if !l.lastUpdate.IsZero() {
		out[tagLastUpdate] = l.lastUpdate.UTC().Format(time.RFC3339)
	}
	return out
}

// origin is an address without who asks and how.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

// setTags adds tags to those of a stack.
func (s *side) setTags(ctx context.Context, n Name, wanted map[string]string) error {
	have, err := s.tags(ctx, n)
	if err != nil {
		return err
	}
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if value, ok := have[name]; !ok || value != wanted[name] {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if s.service != nil {
		maps.Copy(have, wanted)
		return s.service.setTags(ctx, n, have)
	}
	for _, name := range changed {
		if _, err := s.cli.run(ctx, call{args: []string{"stack", "tag", "set", "--stack", n.String(), "--", name, wanted[name]}}); err != nil {
			return err
		}
	}
	return nil
}
