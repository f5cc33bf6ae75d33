package server_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFlagsWinOverTheEnvironmentOverTheFile(t *testing.T) {
	t.Parallel()
	file := write(t, "redoubt.yaml", `
listen: 127.0.0.1:1
organization: from-file
data: /from/file
leases:
  duration: 2m
  first: 1m
proxy:
  trusted: [10.0.0.0/8, "fd00::/8"]
limits:
  body: 64MiB
log:
  level: debug
  format: json
`)
	config, origins, err := server.Load(server.Sources{
		File: file,
		Environment: []string{
			"REDOUBT_LISTEN=127.0.0.1:2", "REDOUBT_ORGANIZATION=from-env", "REDOUBT_KEYS_OLDER=awskms://arn:aws:kms:eu-central-1:111122223333:key/a,awskms://arn:aws:kms:eu-central-1:111122223333:key/b",
			"HOME=/", "REDOUBT_URL=http://elsewhere", "REDOUBT_SERVICE_HOST=10.0.0.1", "REDOUBT_PORT_8090_TCP=tcp://10.0.0.1:8090", "REDOUBT_DATA=",
		},
		Flags: map[string]any{"listen": "127.0.0.1:3", "insecure": true, "tls-certificate": "", "trusted-proxies": []string{"192.0.2.0/24"}},
	})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:3", config.Listen)
	require.Equal(t, "from-env", config.Organization)
	require.Equal(t, "/from/file", config.Data, "an empty variable is none")
	require.True(t, config.Insecure)
	require.Len(t, config.Keys.Older, 2)
	require.Equal(t, 2*time.Minute, config.Leases.Duration)
	require.Equal(t, 5*time.Second, config.Leases.Sweep, "the default")
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, config.Proxy.Trusted)
	require.Equal(t, server.Size(64<<20), config.Limits.Body)
	require.Equal(t, slog.LevelDebug, config.Log.Level)
	require.Equal(t, "flag --listen", origins["listen"])
	require.Equal(t, "environment REDOUBT_ORGANIZATION", origins["organization"])
	require.Equal(t, "redoubt.yaml:6", origins["leases.duration"])
}

func TestDefaultsAreACompleteConfiguration(t *testing.T) {
	t.Parallel()
	config, origins, err := server.Load(server.Sources{})
	require.NoError(t, err)
	require.Empty(t, origins)
	require.Equal(t, server.Defaults(), config)
}

// Everything that is wrong, at once, each with where it stands.
func TestEveryFindingIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	file := write(t, "redoubt.yaml", `
lisen: 127.0.0.1:8090
database:
  ulr: postgres://db/redoubt
  url: mysql://root:CANARY@db/redoubt
  url: twice
leases: soon
retention:
  states: many
  journals: [1h]
tls:
  certificate: /no/such.pem
  key: /no/such.key
`)
	_, _, err := server.Load(server.Sources{
		File:        file,
		Environment: []string{"REDOUBT_LISTN=x", "REDOUBT_LIMITS_BODY=lots", "REDOUBT_METRICS_PATH=metrics", "REDOUBT_TRACING_RATIO=2", "REDOUBT_TRACING_ENDPOINT=http://u:CANARY@collector"},
		Flags:       map[string]any{"retention-requests": "1m", "provisioning-lease": "5s", "listen": "0.0.0.0", "trusted-proxies": []string{"10.0.0.0"}, "log-format": "xml", "public-url": "ftp://u:CANARY@h", "keys-source": "awskms://alias/x"},
	})
	var config *server.ConfigError
	require.ErrorAs(t, err, &config)
	text := err.Error()
	for _, want := range []string{
		"lisen: there is no such setting (did you mean listen?) [redoubt.yaml:2]",
		"database.ulr: there is no such setting (did you mean database.url?) [redoubt.yaml:4]",
		"database.url: this is there twice, also in line 5 [redoubt.yaml:6]",
		"leases: this is a section: settings stand below it [redoubt.yaml:7]",
		`retention.states: "many" is not what it takes`,
		"[redoubt.yaml:9]",
		"retention.journals: this takes one value [redoubt.yaml:10]",
		"tls.certificate: open /no/such.pem",
		"REDOUBT_LISTN: there is no such setting (did you mean REDOUBT_LISTEN?) [environment]",
		`limits.body: "lots" is not what it takes`,
		"[environment REDOUBT_LIMITS_BODY]",
		`metrics.path: "metrics" is no path`,
		"tracing.ratio: 2 is no share of all: from 0, none, to 1, all [environment REDOUBT_TRACING_RATIO]",
		"tracing.endpoint: ",
		`listen: "0.0.0.0" is no address: host:port`,
		"[flag --listen]",
		`proxy.trusted: "[10.0.0.0]" is not what it takes`,
		`log.format: "xml" is no format`,
		"retention.requests: 1m0s is too little",
		"provisioning.lease: 5s: at least 9s, so that a heartbeat may come late, and at most 10m0s",
		"publicUrl: ",
		"keys.source: ",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "CANARY")
	require.Len(t, strings.Split(text, "\n"), len(config.Findings)+1)
}

func TestOneValueIsRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		flag  string
		value any
		want  string
	}{
		{"listen", "0.0.0.0:8090", "plain HTTP on 0.0.0.0:8090"},
		{"listen", ":8090", "--insecure takes the risk"},
		{"listen", "redoubt.internal:8090", "plain HTTP"},
		{"organization", "-x", "organization: "},
		{"database", "postgres://u:CAN%ARY@db/x", "this is no URL"},
		{"database", "sqlite:///x", "no database that is known"},
		{"database-password-file", "/no/such", "no such file"},
		{"tls-key", "/k.pem", "a private key needs its certificate"},
		{"keys-source", "vault", "no source of keys"},
		{"leases-first", "1h", "more than leases.duration"},
		{"limits-in-flight", "0", "0 is too little"},
		{"limits-rate", "-0.5", "-0.5 is too little"},
		{"limits-burst", "0", "0 is too little"},
		{"log-level", "loud", "is not what it takes"},
		{"data", "", "a folder for the data is needed"},
		{"role", "worker", "SQLite is of one process"},
	} {
		_, _, err := server.Load(server.Sources{Flags: map[string]any{row.flag: row.value}})
		require.ErrorContains(t, err, row.want, row.flag)
		require.ErrorContains(t, err, "[flag --"+row.flag+"]")
		require.NotContains(t, err.Error(), "ARY")
	}
	for text, want := range map[string]string{"listen: [": "is no YAML", "- a": "this is a section", "": ""} {
		_, _, err := server.Load(server.Sources{File: write(t, "redoubt.yaml", text)})
		if want == "" {
			require.NoError(t, err, "an empty file says nothing")
			continue
		}
		require.ErrorContains(t, err, want)
	}
	_, _, err := server.Load(server.Sources{File: "/no/such.yaml"})
	require.ErrorContains(t, err, "cannot be read")
}

func TestSettingsHaveThreeNamesEach(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range server.Settings() {
		for _, name := range []string{s.Key, s.Env, "--" + s.Flag} {
			require.False(t, seen[name], name)
			seen[name] = true
		}
		require.NotEmpty(t, s.Help, s.Key)
	}
	require.True(t, seen["database.passwordFile"] && seen["REDOUBT_DATABASE_PASSWORD_FILE"] && seen["--database-password-file"])
	require.True(t, seen["--database"] && seen["--trusted-proxies"])
}

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]server.Size{"0": 0, "17": 17, "1KiB": 1024, "3 MiB": 3 << 20, "2GiB": 2 << 30, "5B": 5} {
		var s server.Size
		require.NoError(t, s.UnmarshalText([]byte(text)))
		require.Equal(t, want, s)
		var again server.Size
		require.NoError(t, again.UnmarshalText([]byte(s.String())))
		require.Equal(t, s, again)
	}
	for _, bad := range []string{"", "MiB", "-1", "9999999999GiB", "1MB"} {
		var s server.Size
		require.ErrorContains(t, s.UnmarshalText([]byte(bad)), "is no size", bad)
	}
}
