package report

import (
	"fmt"
	"strings"
	"time"

	"redoubt/policy/rule"
)

// trend is the findings of several runs as lines of a drawing, one a severity.
type trend struct {
	Width, Height int
	Lines         []line
	// Most is the number at the drawing's top.
	Most        int
	First, Last time.Time
	// Runs are the same numbers for a table, newest first.
	Runs []Run
}

// line is one severity's.
type line struct {
	Severity rule.Severity
	// Points are those of an SVG polyline.
	Points string
	// X and Y are its last point.
	X, Y int
}

// The drawing's size, and the room around its lines.
const (
	trendWidth, trendHeight = 640, 160
	trendMargin             = 12
)

// newTrend draws runs, oldest first; nil for one run, which is no line.
func newTrend(runs []Run) *trend {
	if len(runs) < 2 {
		return nil
	}
	t := &trend{Width: trendWidth, Height: trendHeight, Most: 1, First: runs[0].Time, Last: runs[len(runs)-1].Time}
	for _, r := range runs {
		for _, severity := range severities {
			t.Most = max(t.Most, r.Summary.Severities[severity])
		}
	}
	for _, severity := range severities {
		l := line{Severity: severity}
		points := make([]string, len(runs))
		for i, r := range runs {
			l.X = trendMargin + i*(trendWidth-2*trendMargin)/(len(runs)-1)
			l.Y = trendHeight - trendMargin - r.Summary.Severities[severity]*(trendHeight-2*trendMargin)/t.Most
			points[i] = fmt.Sprintf("%d,%d", l.X, l.Y)
		}
		l.Points = strings.Join(points, " ")
		t.Lines = append(t.Lines, l)
	}
	for i := len(runs) - 1; i >= 0; i-- {
		t.Runs = append(t.Runs, runs[i])
	}
	return t
}
