package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/redact"
)

// Finding is one thing that is wrong with a configuration.
type Finding struct {
	// Key is the setting's.
	Key string
	// Origin is where the value comes from; empty for a default.
	Origin string
	// Message says what is wrong and how to fix it. It holds no secret.
	Message string
}

// ConfigError is all that is wrong with a configuration.
type ConfigError struct{ Findings []Finding }

// Error implements error, a line for each finding.
func (e *ConfigError) Error() string {
	lines := []string{fmt.Sprintf("the configuration has %d error(s), and nothing was started:", len(e.Findings))}
	for _, f := range e.Findings {
		line := "  "
		if f.Key != "" {
			line += f.Key + ": "
		}
		line += f.Message
		if f.Origin != "" {
			line += " [" + f.Origin + "]"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// keysInFile is the key source that is a file in the data folder.
const keysInFile = "file"

// kmsScheme starts a key source that is a key of AWS KMS.
const kmsScheme = "awskms://"

// Check returns all that is wrong with a configuration as such; what the world
// does not like about it, Open tells.
func (c Config) Check() (findings []Finding) {
	found := func(key, format string, args ...any) {
		findings = append(findings, Finding{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	c.checkListener(found)
	if err := backend.CheckOrg(c.Organization); err != nil {
		found("organization", "%v", err)
	}
	if c.Data == "" {
		found("data", "a folder for the data is needed")
	}
	c.checkDatabase(found)
	if err := checkSource(c.Keys.Source, true); err != nil {
		found("keys.source", "%v", err)
	}
	for _, older := range c.Keys.Older {
		if err := checkSource(older, false); err != nil {
			found("keys.older", "%v", err)
		}
	}
	c.checkNumbers(found)
	switch c.Log.Format {
	case "text", "json":
	default:
		found("log.format", "%q is no format: text or json", c.Log.Format)
	}
	c.checkProvisioning(found)
	c.Tracing.check(found)
	if p := c.Metrics.Path; p != metricsOff && (!strings.HasPrefix(p, "/") || p == "/" || strings.ContainsAny(p, " {}?#") || strings.HasPrefix(p, "/api/") || strings.HasPrefix(p, "/v0/")) {
		found("metrics.path", "%q is no path for metrics: /metrics, or off", p)
	}
	return findings
}

// report takes a finding.
type report func(key, format string, args ...any)

func (c Config) checkListener(found report) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		found("listen", "%q is no address: host:port, for example 127.0.0.1:8090 or :8090", c.Listen)
	}
	if c.Metrics.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Metrics.Listen); err != nil {
			found("metrics.listen", "%q is no address: host:port", c.Metrics.Listen)
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
			found("publicUrl", "%q is no address for clients: https://host or http://host:port, without a path", redact.URL(c.PublicURL))
		}
	}
	switch {
	case c.TLS.Certificate != "" && c.TLS.Key == "":
		found("tls.certificate", "a certificate needs its private key: give tls.key")
	case c.TLS.Key != "" && c.TLS.Certificate == "":
		found("tls.key", "a private key needs its certificate: give tls.certificate")
	case c.TLS.Certificate != "":
		if _, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key); err != nil {
			found("tls.certificate", "%v", err)
		}
	case err == nil && !loopback(host) && len(c.Proxy.Trusted) == 0 && !c.Insecure:
		found("listen", "plain HTTP on %s would send tokens and secrets readable over the network: give tls.certificate and tls.key, or proxy.trusted if a proxy does TLS, or listen on 127.0.0.1 (--insecure takes the risk)", c.Listen)
	}
}

// loopback says whether an address is this machine's alone. A name other than
// localhost may be anything.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func (c Config) checkDatabase(found report) {
	if c.Database.PasswordFile != "" {
		if c.Database.URL == "" {
			found("database.passwordFile", "SQLite has no password: give database.url too")
		}
		if _, err := os.Stat(c.Database.PasswordFile); err != nil {
			found("database.passwordFile", "the file cannot be read: %v", reason(err))
		}
	}
	if c.Database.URL == "" {
		return
	}
	u, err := url.Parse(c.Database.URL)
	if err != nil {
		found("database.url", "this is no URL (a special character in the password? write it as %%40, or give database.passwordFile)")
		return
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		found("database.url", "%q is no database that is known: postgres://user@host/name; without a URL it is SQLite in the data folder", redact.URL(c.Database.URL))
	}
	if _, has := u.User.Password(); has && c.Database.PasswordFile != "" {
		found("database.passwordFile", "database.url has a password too: one of them")
	}
}

// reason is an error without the path, which the finding says.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func checkSource(source string, current bool) error {
	arn, kms := strings.CutPrefix(source, kmsScheme)
	switch {
	case source == keysInFile && current:
		return nil
	case kms && strings.HasPrefix(arn, "arn:") && strings.Count(arn, ":") >= 5 && strings.Contains(arn, ":kms:") && strings.Contains(arn, ":key/"):
		return nil
	case kms:
		return fmt.Errorf("%q is no ARN of a KMS key (not an alias, which may come to mean another one): awskms://arn:aws:kms:eu-central-1:111122223333:key/…", arn)
	default:
		return fmt.Errorf("%q is no source of keys: file, or awskms://ARN", source)
	}
}

func (c Config) checkNumbers(found report) {
	for _, n := range []struct {
		key      string
		is, from int64
		text     string
	}{
		{"leases.duration", int64(c.Leases.Duration), 1, c.Leases.Duration.String()},
		{"leases.first", int64(c.Leases.First), 1, c.Leases.First.String()},
		{"leases.sweep", int64(c.Leases.Sweep), 1, c.Leases.Sweep.String()},
		{"retention.states", int64(c.Retention.States), 1, fmt.Sprint(c.Retention.States)},
		{"retention.journals", int64(c.Retention.Journals), 1, c.Retention.Journals.String()},
		{"retention.events", int64(c.Retention.Events), 1, c.Retention.Events.String()},
		{"retention.secrets", int64(c.Retention.Secrets), int64(time.Hour), c.Retention.Secrets.String()},
		{"retention.requests", int64(c.Retention.Requests), int64(time.Hour), c.Retention.Requests.String()},
		{"retention.deliveries", int64(c.Retention.Deliveries), int64(time.Hour), c.Retention.Deliveries.String()},
		{"audit.retention", int64(c.Audit.Retention), int64(24 * time.Hour), c.Audit.Retention.String()},
		{"limits.body", int64(c.Limits.Body), 1 << 20, c.Limits.Body.String()},
		{"limits.inFlight", int64(c.Limits.InFlight), 1, fmt.Sprint(c.Limits.InFlight)},
		{"limits.diskFree", int64(c.Limits.DiskFree), 0, c.Limits.DiskFree.String()},
		{"limits.rate", int64(math.Floor(c.Limits.Rate)), 0, fmt.Sprint(c.Limits.Rate)},
		{"limits.burst", int64(c.Limits.Burst), 1, fmt.Sprint(c.Limits.Burst)},
		{"limits.request", int64(c.Limits.Request), 1, c.Limits.Request.String()},
		{"limits.shutdown", int64(c.Limits.Shutdown), 0, c.Limits.Shutdown.String()},
	} {
		if n.is < n.from {
			found(n.key, "%s is too little", n.text)
		}
	}
	if c.Audit.Bucket != "" && !bucketForm.MatchString(c.Audit.Bucket) {
		found("audit.bucket", "%q is no bucket: s3://name/prefix", c.Audit.Bucket)
	}
	if c.Leases.First > c.Leases.Duration {
		found("leases.first", "%s is more than leases.duration, %s", c.Leases.First, c.Leases.Duration)
	}
}
