package config

import (
	"fmt"
	"slices"

	"redoubt/infra/singleton"
)

// Functions is the Lambda functions that the stack runs: the password rotation,
// the search domain's set-up and the splitter of its logs.
type Functions struct {
	// Dir is where `make functions` writes their archives, from the project's root.
	Dir string `json:"dir"`
	// Signing is Enforce, or Warn while a pipeline learns to sign.
	Signing string `json:"signing"`
	// Reserved is how many concurrent runs are kept for each function, by name:
	// its limit at the same time. A function that is not named has neither.
	Reserved map[string]int `json:"reserved"`
	// AccountConcurrency is the account's quota of concurrent runs, of which AWS
	// keeps 100 unreserved; a new account may have 10 in all.
	AccountConcurrency int `json:"accountConcurrency"`
}

// FunctionNames are the functions that Reserved can name.
var FunctionNames = []string{"rotate-db-user", "rotate-db-proxy-user", "search-bootstrap", "split-logs"}

// unreserved is how much of an account's concurrency cannot be reserved.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const unreserved = 100

// Secrets is the database user's secret, and how old any secret may get.
type Secrets struct {
	// RotationDays is how often the password is rotated.
	RotationDays int `json:"rotationDays"`
	// MaxAgeDays is from when an alert of level medium says that a secret was not
	// rotated, 2 to 1000: the alarm on those that people rotate. AWS Config
	// looks, so detection.rules must not be none.
	MaxAgeDays int `json:"maxAgeDays"`
	// RecoveryDays is how long a deleted secret can be brought back: 7 to 30, or 0
	// to delete at once.
	RecoveryDays int `json:"recoveryDays"`
}

// API is the REST API in front of the application; without routes there is none.
type API struct {
	// Account is how API Gateway may write logs: manage in one stack of a
	// region, adopt in the others.
	Account singleton.Singleton `json:"account"`
	// Routes are what it answers.
	Routes []Route `json:"routes"`
	// RatePerSecond bounds the requests of all clients together.
	RatePerSecond int `json:"ratePerSecond"`
	// Burst is how many may come at once.
	Burst int `json:"burst"`
}

// Route is a method on a path.
type Route struct {
	// Method is GET, POST, PUT, PATCH or DELETE.
	Method string `json:"method"`
	// Path is "/orders/{id}".
	Path string `json:"path"`
	// Schema is the file of the body's JSON Schema in infra/workload/schemas.
	Schema string `json:"schema"`
	// Scopes of the token, one of which is enough: "app/read".
	Scopes []string `json:"scopes"`
	// Public says why the route needs no token.
	Public string `json:"public"`
}

func (c Config) validateFunctions(fs *Findings) {
	if c.Functions.Dir == "" {
		fs.add("functions.dir", "there is no folder with the archives", "dist/functions, where make functions writes them")
	}
	if d := c.Secrets.RecoveryDays; d != 0 && (d < 7 || d > 30) {
		fs.add("secrets.recoveryDays", "AWS keeps a deleted secret for 7 to 30 days", "7 to 30, or 0 to delete at once")
	}
	sum := 0
	for _, name := range sortedKeys(c.Functions.Reserved) {
		n := c.Functions.Reserved[name]
		sum += n
		if !slices.Contains(FunctionNames, name) {
			fs.add("functions.reserved."+name, "there is no such function", didYouMean(name, FunctionNames))
		}
		if n < 1 {
			fs.add("functions.reserved."+name, fmt.Sprintf("%d would stop the function", n), "1 or more, or leave it out")
		}
	}
	if quota := c.Functions.AccountConcurrency; sum > max(0, quota-unreserved) {
		fs.add("functions.reserved", fmt.Sprintf("%d in all, of a quota of %d of which %d stay unreserved", sum, quota, unreserved), "reserve less, or have the quota raised and set accountConcurrency")
	}
	if oldest := max(c.Secrets.RotationDays, c.Database.RotationDays); c.Secrets.MaxAgeDays <= oldest {
		fs.add("secrets.maxAgeDays", fmt.Sprintf("secrets that rotate get %d days old: each would raise the alarm", oldest), fmt.Sprintf("more than %d", oldest))
	}
	if len(c.API.Routes) > 0 && !c.API.Account.Used() {
		fs.add("api.account", "without it API Gateway cannot write logs", "mode: manage, or adopt")
	}
}
