package provision

import (
	"strings"

	"github.com/robfig/cron/v3"
)

// fiveFields reads cron expressions as everybody knows them.
var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// parseCron reads five fields: minute, hour, day, month, weekday, in UTC.
func parseCron(expression string) (cron.Schedule, error) {
	if strings.ContainsRune(expression, '=') {
		// The parser would take a time zone in front, and panics where it is cut off.
		return nil, Fail(CodeInvalid, "%.60q has a time zone: five fields, in UTC", expression)
	}
	return fiveFields.Parse(expression)
}
