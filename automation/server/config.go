package server

import (
	"log/slog"
	"net/netip"
	"time"

	"redoubt/automation/provision"
)

// Config is how a server runs. Each field has a key in the configuration file
// (koanf), a variable in the environment and a flag; see Settings. The help
// texts are the documentation too.
type Config struct {
	Listen       string `koanf:"listen" help:"Address to listen on. Port 0 takes a free one."`
	PublicURL    string `koanf:"publicUrl" help:"Where clients reach the server, if that is not the address that it listens on: behind a proxy, or by a name."`
	Data         string `koanf:"data" help:"Folder with the database (redoubt.db), the keys (keys.json) and the lock; made if it is not there. By default redoubt in the user's data folder ($XDG_DATA_HOME, or ~/.local/share)."`
	Organization string `koanf:"organization" help:"Name of the organization that the first start makes."`
	Insecure     bool   `koanf:"insecure" help:"Serve plain HTTP on an address that others reach, without a proxy that is known. Tokens and secrets then cross the network readable."`

	Database  Database  `koanf:"database"`
	Keys      Keys      `koanf:"keys"`
	TLS       TLS       `koanf:"tls"`
	Proxy     Proxy     `koanf:"proxy"`
	Leases    Leases    `koanf:"leases"`
	Retention Retention `koanf:"retention"`
	Audit     Audit     `koanf:"audit"`
	Log       Log       `koanf:"log"`
	Metrics   Metrics   `koanf:"metrics"`
	Tracing   Tracing   `koanf:"tracing"`
	Limits    Limits    `koanf:"limits"`

	Provisioning Provisioning `koanf:"provisioning"`
	Identity     Identity     `koanf:"identity"`
}

// Database is where states are kept.
type Database struct {
	URL          string `koanf:"url" flag:"database" help:"PostgreSQL database, postgres://user@host/name?sslmode=verify-full; by default SQLite in the data folder. A password may also come from PGPASSWORD, PGPASSFILE or ~/.pgpass."`
	PasswordFile string `koanf:"passwordFile" help:"File with the database's password."`
}

// Keys wrap the keys of the stacks.
type Keys struct {
	Source string   `koanf:"source" help:"The operator's key: file (keys.json in the data folder) or awskms://ARN of a key."`
	Older  []string `koanf:"older" help:"Earlier sources, which open what they wrapped until redoubt key rewrap has been run: awskms://ARN. The file in the data folder is always one, if it is there."`
}

// TLS of the listener.
type TLS struct {
	Certificate string `koanf:"certificate" help:"Certificate chain, PEM. It is read again when it changes."`
	Key         string `koanf:"key" help:"Private key of the certificate, PEM."`
}

// Proxy in front of the server.
type Proxy struct {
	Trusted []netip.Prefix `koanf:"trusted" flag:"trusted-proxies" help:"Networks of proxies, whose X-Forwarded-For and X-Forwarded-Proto are believed: 10.0.0.0/8."`
}

// Leases of updates.
type Leases struct {
	Duration time.Duration `koanf:"duration" help:"How long an update may be silent before it is closed as interrupted."`
	First    time.Duration `koanf:"first" help:"The same until its client is first heard of."`
	Sweep    time.Duration `koanf:"sweep" help:"How often ended leases are looked for, on average."`
}

// Retention of what is kept for a while.
type Retention struct {
	States   int           `koanf:"states" help:"How many old states of a stack are kept."`
	Journals time.Duration `koanf:"journals" help:"How long journals of closed updates are kept."`
	Events   time.Duration `koanf:"events" help:"How long events, logs of operations and previews are kept."`
	Secrets  time.Duration `koanf:"secrets" help:"How long what an operation that has ended had in secrets is kept: its token, which is good for nothing any more, and its secret inputs, without which it cannot be retried. Those of the stack itself stay."`
	Requests time.Duration `koanf:"requests" help:"How long an idempotency key is known, and its request answered as before."`

	Deliveries time.Duration `koanf:"deliveries" help:"How long what was sent to webhooks, or not, can be looked at."`
}

// Audit is where the signed checkpoints of the audit log are kept besides.
type Audit struct {
	File      string        `koanf:"file" help:"File that each checkpoint of the audit log is added to, a JSON object a line; keep it where who has the database cannot write. Empty for none."`
	Bucket    string        `koanf:"bucket" help:"Bucket of Amazon S3 with Object Lock that each checkpoint goes to: s3://name/prefix. Empty for none."`
	Retention time.Duration `koanf:"retention" help:"How long nobody can remove a checkpoint from the bucket."`
}

// Log goes to standard error.
type Log struct {
	Level  slog.Level `koanf:"level" help:"debug, info, warn or error. debug logs every request."`
	Format string     `koanf:"format" help:"text or json."`
}

// Metrics for Prometheus.
type Metrics struct {
	Path   string `koanf:"path" help:"Path of the metrics; off for none."`
	Listen string `koanf:"listen" help:"Another address that serves the metrics and health alone, and then nothing but that does."`
}

// Tracing sends spans to a collector of OpenTelemetry.
type Tracing struct {
	Endpoint string  `koanf:"endpoint" help:"Collector of OpenTelemetry that spans go to, by OTLP over gRPC: 127.0.0.1:4317. Empty for none."`
	Insecure bool    `koanf:"insecure" help:"The collector has no TLS."`
	Ratio    float64 `koanf:"ratio" help:"Which share of the traces that begin here is kept: 0.1 for each tenth. A trace that a client hands on is kept if the client keeps it."`
}

// Limits on what one server takes at once.
type Limits struct {
	Body     Size          `koanf:"body" help:"Largest body of a request, as it is sent: 512MiB."`
	InFlight int           `koanf:"inFlight" help:"How many requests are served at once; more are answered 503 and asked to come again."`
	Request  time.Duration `koanf:"request" help:"How long a request may take."`
	DiskFree Size          `koanf:"diskFree" help:"How much must be free where data and temporary files are for orders to be taken and run: 512MiB. 0B for no bound."`
	Rate     float64       `koanf:"rate" help:"How many requests a second one principal may send to self-service for long; 0 for any number. Each process counts by itself."`
	Burst    int           `koanf:"burst" help:"How many requests one principal may send to self-service at once, before the rate counts."`
	Shutdown time.Duration `koanf:"shutdown" help:"How long requests in flight may take to end when the server stops."`
}

// Provisioning is self-service: orders, their workers, their gate.
type Provisioning struct {
	Role           string         `koanf:"role" flag:"role" help:"What this process does of it: all, api (takes orders, runs none), worker (runs orders, takes none) or none (keeps states alone). By default all where Pulumi CLI and policy pack are there, else none."`
	Account        string         `koanf:"account" flag:"account" help:"Where orders go: rehearsal, a simulated account in the data folder in which nothing is real, aws, in the accounts of provisioning.accounts and with a role for each run, or ambient, with the credentials of this process for every run."`
	Accounts       string         `koanf:"accounts" help:"File with the AWS accounts that stacks may be launched in, and their roles: YAML, see docs/aws.md. For account aws."`
	AdoptRehearsal bool           `koanf:"adoptRehearsal" flag:"adopt-rehearsal" help:"Make this data folder the one of the rehearsal accounts of a PostgreSQL database, where the one before is lost."`
	Slots          int            `koanf:"slots" flag:"slots" help:"How many operations this process runs at once, each a CLI and a provider: never more than there are gigabytes of memory."`
	PolicyPack     string         `koanf:"policyPack" flag:"policy-pack" help:"Policy pack that every order must pass, an executable, or none. By default redoubt-policy beside this executable."`
	PolicyConfig   string         `koanf:"policyConfig" flag:"policy-config" help:"Configuration of the policy pack, JSON: levels, parameters, exemptions."`
	Rehearse       bool           `koanf:"rehearse" help:"Rehearse each order of new projects before its real preview."`
	URL            string         `koanf:"url" help:"Where this process's own operations reach a server; by default this one."`
	Plugins        string         `koanf:"plugins" help:"Folder with Pulumi plugins for operations; by default the user's."`
	Acquire        bool           `koanf:"acquire" help:"Let operations download the plugins that are missing."`
	Webhooks       []netip.Prefix `koanf:"webhooks" flag:"webhook-networks" help:"Networks that webhooks may lead to although they are not public: 10.1.2.0/24."`
	Spare          time.Duration  `koanf:"spare" help:"How long a process waits, ready, for the next operation, which then starts sooner; 0 for none. While it waits it takes some 25 MiB."`
	Lease          time.Duration  `koanf:"lease" help:"How long a worker may be silent before others take what it runs, 9s to 10m; it is heard of more than four times in it."`
	Shutdown       time.Duration  `koanf:"shutdown" help:"How long operations may run on when the server stops, before they are asked to end; what has begun is finished in any case."`
}

// Identity says who people are, and what they may.
type Identity struct {
	Issuer           string   `koanf:"issuer" flag:"oidc-issuer" help:"OpenID Connect provider that people sign in with: https://login.example.com. Without one there are access tokens alone."`
	ClientID         string   `koanf:"clientId" flag:"oidc-client-id" help:"What this service is called there."`
	ClientSecretFile string   `koanf:"clientSecretFile" flag:"oidc-client-secret-file" help:"File with its secret there; empty for a public client."`
	LoginClientID    string   `koanf:"loginClientId" flag:"oidc-login-client-id" help:"The public client of command lines; by default the same."`
	Audiences        []string `koanf:"audiences" flag:"oidc-audiences" help:"Audiences of tokens that are good besides the clients."`
	NameClaim        string   `koanf:"nameClaim" flag:"oidc-name-claim" help:"Claim that says who somebody is, for ever; by default sub."`
	GroupsClaim      string   `koanf:"groupsClaim" flag:"oidc-groups-claim" help:"Claim with somebody's groups, a path into objects; by default groups."`
	MFAMethods       []string `koanf:"mfaMethods" flag:"oidc-mfa-methods" help:"Values of amr that mean a second factor; by default mfa, otp and hwk."`
	MFAContexts      []string `koanf:"mfaContexts" flag:"oidc-mfa-contexts" help:"Values of acr that mean a second factor."`
	Policies         string   `koanf:"policies" flag:"cedar-policies" help:"Folder with Cedar policies (*.cedar) of your own, beside the built-in ones."`
	Authorization    string   `koanf:"authorization" flag:"authorization" help:"What the stock CLI may with an access token: grants (what the token says) or cedar (what the token says and the policies allow)."`
}

// Defaults are what holds where nothing else is said.
func Defaults() Config {
	const month = 30 * 24 * time.Hour
	return Config{
		Listen: "127.0.0.1:8090", Data: defaultData(), Organization: "main",
		Keys:         Keys{Source: keysInFile},
		Leases:       Leases{Duration: 6 * time.Minute, First: 90 * time.Second, Sweep: 5 * time.Second},
		Retention:    Retention{States: 100, Journals: 7 * 24 * time.Hour, Events: month, Secrets: month, Requests: 24 * time.Hour, Deliveries: month},
		Audit:        Audit{Retention: 400 * 24 * time.Hour},
		Log:          Log{Format: "text"},
		Metrics:      Metrics{Path: "/metrics"},
		Tracing:      Tracing{Ratio: 1},
		Provisioning: Provisioning{Account: "rehearsal", Slots: 4, Rehearse: true, Lease: provision.DefaultLease, Spare: 10 * time.Minute, Shutdown: 20 * time.Second},
		Identity:     Identity{Authorization: authorizedByGrants},
		Limits: Limits{
			Body: 512 << 20, InFlight: 512, Request: 10 * time.Minute, DiskFree: 512 << 20, Rate: 100, Burst: 1000, Shutdown: 20 * time.Second,
		},
	}
}
