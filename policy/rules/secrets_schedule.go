package rules

import (
	"slices"
	"strconv"
	"strings"

	"redoubt/policy/rule"
)

// scheduleWithin is the verdict of a rotation's schedule, rate(…) or cron(…):
// the longest time between two rotations must not be more than so many days.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
func scheduleWithin(text string, most int, v rule.Value) rule.Verdict {
	days, exact, ok := longestGap(text)
	switch {
	case !ok:
		return rule.Unsure("%s is no schedule that can be read here: %s", v.Path(), v.Show())
	case days <= most:
		return rule.Pass()
	case !exact:
		return rule.Unsure("%s may leave more than %d days between two rotations: %s", v.Path(), most, v.Show())
	default:
		return rule.Fail("%s leaves %d days between two rotations, more than %d: %s", v.Path(), days, most, v.Show())
	}
}

// longestGap is the longest time in days between two rotations of a schedule.
// Where it is not exact it is a bound that the schedule does not exceed.
func longestGap(text string) (days int, exact, ok bool) {
	if body, is := inBrackets(text, "rate"); is {
		return rateGap(strings.Fields(body))
	}
	if body, is := inBrackets(text, "cron"); is {
		return cronGap(strings.Fields(strings.ToUpper(body)))
	}
	return 0, false, false
}

func inBrackets(text, name string) (string, bool) {
	body, opens := strings.CutPrefix(strings.TrimSpace(text), name+"(")
	body, closes := strings.CutSuffix(body, ")")
	return body, opens && closes
}

func rateGap(fields []string) (days int, exact, ok bool) {
	if len(fields) != 2 {
		return 0, false, false
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil || n <= 0 {
		return 0, false, false
	}
	switch strings.TrimSuffix(fields[1], "s") {
	case "day":
		return n, true, true
	case "hour":
		return (n + 23) / 24, true, true
	default:
		return 0, false, false
	}
}

// monthDays are the days of the months of a leap year, the longer one.
var monthDays = []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// cronGap reads the six fields: minutes, hours, day of month, month, day of
// week, year. The months decide: within one, a day of the month or of the week
// comes at least once. Only one day of the month makes the gap exact.
func cronGap(fields []string) (days int, exact, ok bool) {
	if len(fields) != 6 || fields[5] != "*" {
		return 0, false, false
	}
	months, ok := cronMonths(fields[3])
	if !ok {
		return 0, false, false
	}
	weekly := fields[4] != "?" && !strings.ContainsAny(fields[4], "#L")
	if len(months) == 12 && (weekly || fields[2] == "*") {
		return 7, false, true
	}
	longest := 0
	for i, from := range months {
		gap := 0
		to := months[(i+1)%len(months)]
		for m := from; ; m = (m + 1) % 12 {
			gap += monthDays[m]
			if (m+1)%12 == to {
				break
			}
		}
		longest = max(longest, gap)
	}
	switch day, err := strconv.Atoi(fields[2]); {
	case err == nil && day > 28: // months without that day are left out
		return longest + 31, false, true
	case err == nil:
		return longest, true, true
	case weekly:
		return longest, false, true
	default:
		return longest + 6, false, true // the last or the nth day moves within its month
	}
}

var monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

// cronMonths reads a month field, "*", "1/3", "*/2", "JAN-MAR", "1,7", into
// months from 0, sorted.
func cronMonths(field string) ([]int, bool) {
	var out []int
	for _, part := range strings.Split(field, ",") {
		span, every, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(every); err != nil || step < 1 {
				return nil, false
			}
		}
		first, last, ranged := strings.Cut(span, "-")
		from, okFrom := cronMonth(first)
		to, okTo := from, true
		switch {
		case span == "*":
			from, to, okFrom = 0, 11, true
		case ranged:
			to, okTo = cronMonth(last)
		case stepped:
			to = 11
		}
		if !okFrom || !okTo || to < from {
			return nil, false
		}
		for m := from; m <= to; m += step {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), true
}

func cronMonth(s string) (int, bool) {
	if i := slices.Index(monthNames, s); i >= 0 {
		return i, true
	}
	n, err := strconv.Atoi(s)
	return n - 1, err == nil && n >= 1 && n <= 12
}
