package server

import (
	"log/slog"
	"net/netip"
	"time"
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
	Log       Log       `koanf:"log"`
	Metrics   Metrics   `koanf:"metrics"`
	Limits    Limits    `koanf:"limits"`
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
	Events   time.Duration `koanf:"events" help:"How long events and previews are kept."`
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

// Limits on what one server takes at once.
type Limits struct {
	Body     Size          `koanf:"body" help:"Largest body of a request, as it is sent: 512MiB."`
	InFlight int           `koanf:"inFlight" help:"How many requests are served at once; more are answered 503 and asked to come again."`
	Request  time.Duration `koanf:"request" help:"How long a request may take."`
	Shutdown time.Duration `koanf:"shutdown" help:"How long requests in flight may take to end when the server stops."`
}

// Defaults are what holds where nothing else is said.
func Defaults() Config {
	return Config{
		Listen: "127.0.0.1:8090", Data: defaultData(), Organization: "main",
		Keys:      Keys{Source: keysInFile},
		Leases:    Leases{Duration: 6 * time.Minute, First: 90 * time.Second, Sweep: 5 * time.Second},
		Retention: Retention{States: 100, Journals: 7 * 24 * time.Hour, Events: 30 * 24 * time.Hour},
		Log:       Log{Format: "text"},
		Metrics:   Metrics{Path: "/metrics"},
		Limits:    Limits{Body: 512 << 20, InFlight: 512, Request: 10 * time.Minute, Shutdown: 20 * time.Second},
	}
}
