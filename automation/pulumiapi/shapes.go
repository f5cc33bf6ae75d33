package pulumiapi

import (
	"strings"
	"sync"
)

// shapes turns paths into their shapes: words of the protocol stay, anything
// else, which may be a name or a secret, becomes {}.
type shapes struct {
	words map[string]bool
	mu    sync.Mutex
	seen  map[string]bool
}

const (
	// maxShapes bounds how many different shapes are told; the others are one.
	maxShapes = 200
	// maxSegments bounds how long a shape is.
	maxSegments = 8
	otherShapes = "other"
)

// otherWords are those of endpoints of the CLI that are not served, see
// pkg/backend/httpstate/client/client.go.
const otherWords = "oauth token agents signup validate registry versions latest openapi members auditlogs roles teams hooks search resources " +
	"resourcesv2 summary templates template download drift status runs deployments settings schedules logs console integrations " +
	"preview insights esc environments yaml open check ai chat log-encryption-session init policyresults issues compliance neo tasks"

func (s *shapes) learn(path string) {
	if s.words == nil {
		s.words, s.seen = map[string]bool{}, map[string]bool{}
		for _, w := range strings.Fields(otherWords) {
			s.words[w] = true
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.HasPrefix(segment, "{") {
			s.words[segment] = true
		}
	}
}

// of is the shape of a path.
func (s *shapes) of(path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) > maxSegments {
		segments = append(segments[:maxSegments:maxSegments], "…")
	}
	for i, segment := range segments {
		if !s.words[segment] && segment != "…" {
			segments[i] = "{}"
		}
	}
	shape := "/" + strings.Join(segments, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen[shape] {
		if len(s.seen) >= maxShapes {
			return otherShapes
		}
		s.seen[shape] = true
	}
	return shape
}
