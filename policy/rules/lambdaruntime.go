package rules

import (
	"time"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// lambdaRuntimes holds the rule about runtimes, with the table of their ends.
var lambdaRuntimes = []rule.Rule{{
	Name:     "lambda-supported-runtime",
	Summary:  "A function runs on a runtime that AWS patches, and will in 90 days.",
	Guide:    []guide.ID{guide.ResponseEradicationApplyPatches},
	Severity: rule.Medium, Level: rule.Advisory,
	Controls: mapped(fsbp("Lambda.2"), nist("SI-2")),
	Types:    []string{"lambda/function"},
	Params: []rule.Param{{
		Name: "warnDays", Kind: rule.Integer, Default: 90, Min: 0, Max: 730,
		Description: "Days before the end of a runtime from which functions on it are found.",
	}},
	Check: runtimeSupported,
	Fix:   `lambda.FunctionArgs{Runtime: pulumi.String("provided.al2023")}, or the newest runtime of the language`,
	URL:   "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
}}

// runtimeEnds are the days from which AWS makes no patches for a runtime. AWS
// moves the days that are to come, mostly to later ones.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
var runtimeEnds = map[string]time.Time{
	"nodejs24.x": day(2028, time.April, 30),
	"nodejs22.x": day(2027, time.April, 30),
	"nodejs20.x": day(2026, time.April, 30),
	"nodejs18.x": day(2025, time.September, 1),
	"nodejs16.x": day(2024, time.June, 12),
	"nodejs14.x": day(2023, time.December, 4),
	"nodejs12.x": day(2023, time.March, 31),
	"nodejs10.x": day(2021, time.July, 30),

	"python3.14": day(2029, time.June, 30),
	"python3.13": day(2029, time.June, 30),
	"python3.12": day(2028, time.October, 31),
	"python3.11": day(2027, time.June, 30),
	"python3.10": day(2026, time.October, 31),
	"python3.9":  day(2025, time.December, 15),
	"python3.8":  day(2024, time.October, 14),
	"python3.7":  day(2023, time.December, 4),
	"python3.6":  day(2022, time.July, 18),
	"python2.7":  day(2021, time.July, 15),

	"java25":    day(2029, time.June, 30),
	"java21":    day(2029, time.June, 30),
	"java17":    day(2027, time.June, 30),
	"java11":    day(2027, time.June, 30),
	"java8.al2": day(2027, time.June, 30),
	"java8":     day(2024, time.January, 8),

	"dotnet10":      day(2028, time.November, 14),
	"dotnet8":       day(2026, time.November, 10),
	"dotnet6":       day(2024, time.December, 20),
	"dotnetcore3.1": day(2023, time.April, 3),
	"dotnetcore2.1": day(2022, time.January, 5),

	"ruby3.4": day(2028, time.March, 31),
	"ruby3.3": day(2027, time.March, 31),
	"ruby3.2": day(2026, time.March, 31),
	"ruby2.7": day(2023, time.December, 7),
	"ruby2.5": day(2021, time.July, 30),

	"provided.al2023": day(2029, time.June, 30),
	"provided.al2":    day(2026, time.July, 31),
	"provided":        day(2024, time.January, 8),
	"go1.x":           day(2024, time.January, 8),

	"nodejs8.10":     day(2020, time.March, 6),
	"nodejs6.10":     day(2019, time.August, 12),
	"nodejs4.3":      day(2020, time.March, 5),
	"nodejs4.3-edge": day(2020, time.March, 5),
	"nodejs":         day(2016, time.October, 31),
	"dotnetcore2.0":  day(2019, time.May, 30),
	"dotnetcore1.0":  day(2019, time.June, 27),
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

func runtimeSupported(r *rule.Resource, p rule.Params) rule.Verdict {
	v := r.Get("runtime")
	if kind, _ := r.Get("packageType").Str(); kind == "Image" || v.Absent() {
		return rule.Skip() // an image brings its own
	}
	name, known := v.Str()
	if !known {
		return rule.Unsure("runtime is unknown")
	}
	end, listed := runtimeEnds[name]
	switch {
	case !listed:
		return rule.Unsure("runtime is %s, which this rule does not know", v.Show())
	case !p.Now().Before(end):
		return rule.Fail("runtime is %s: AWS has not patched it since %s", v.Show(), end.Format(time.DateOnly))
	case !p.Now().AddDate(0, 0, p.Int("warnDays")).Before(end):
		return rule.Fail("runtime is %s: AWS does not patch it from %s on", v.Show(), end.Format(time.DateOnly))
	default:
		return rule.Pass()
	}
}
