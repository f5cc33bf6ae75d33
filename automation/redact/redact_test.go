package redact_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/redact"
)

// canary must appear in no log.
const canary = "CANARYCANARYCANARYCANARY77"

func TestTextMasksCredentials(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"redoubt_01jabc_" + canary + " was refused":                                    "redoubt_01jabc_[redacted] was refused",
		"Authorization: token redoubt_01jabc_" + canary:                                "Authorization: [redacted]",
		"Authorization: Bearer " + canary:                                              "Authorization: [redacted]",
		"update-token " + canary:                                                       "update-token [redacted]",
		"token " + canary:                                                              "token [redacted]",
		"postgres://redoubt:" + canary + "@db.example:5432/redoubt":                    "postgres://redoubt:[redacted]@db.example:5432/redoubt",
		"postgres://redoubt:p@" + canary + "@db.example/redoubt":                       "postgres://redoubt:[redacted]@db.example/redoubt",
		"host=db user=redoubt password=" + canary + " sslmode=verify":                  "host=db user=redoubt password=[redacted] sslmode=verify",
		`{"password":"` + canary + `","user":"x"}`:                                     `{"password":[redacted],"user":"x"}`,
		"-----BEGIN EC PRIVATE KEY-----\n" + canary + "\n-----END EC PRIVATE KEY-----": "[redacted]",
	} {
		require.NotContains(t, redact.Text(text), canary)
		require.Equal(t, want, redact.Text(text))
	}
	for _, harmless := range []string{
		"stack acme/shop/prod has 12 resources", "token tok_01jabc was revoked", "secrets: 3 were decrypted",
		"http://127.0.0.1:8090/api/stacks/acme/shop/prod", "postgres://redoubt@db.example/redoubt", "the basics of it",
	} {
		require.Equal(t, harmless, redact.Text(harmless))
	}
}

func TestURLKeepsAllButThePassword(t *testing.T) {
	t.Parallel()
	require.Equal(t, "postgres://u:redacted@h/d?sslmode=require", redact.URL("postgres://u:"+canary+"@h/d?sslmode=require"))
	require.NotContains(t, redact.URL("postgres://u@h/d?password="+canary), canary)
	require.NotContains(t, redact.URL("postgres://u:%zz"+canary+"@h/d"), canary, "what cannot be parsed is masked too")
}

type leaky struct {
	Name     string
	Password string
}

type valuer struct{}

func (valuer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("url", "postgres://u:"+canary+"@h/d"))
}

// Whatever way the canary takes into a log, it does not come out.
func TestHandlerMasksEveryWayIntoALog(t *testing.T) {
	t.Parallel()
	token := "redoubt_01jabc_" + canary
	for name, log := range map[string]func(*slog.Logger){
		"in the message": func(l *slog.Logger) { l.Info("got " + token) },
		"by its name":    func(l *slog.Logger) { l.Info("x", "password", canary, "update_token", canary, "Authorization", canary) },
		"in a text":      func(l *slog.Logger) { l.Info("x", "header", "update-token "+canary) },
		"in an error": func(l *slog.Logger) {
			l.Info("x", "err", fmt.Errorf("dial: %w", errors.New("postgres://u:"+canary+"@h")))
		},
		"in a group":           func(l *slog.Logger) { l.Info("x", slog.Group("g", slog.Group("h", "t", token))) },
		"in a LogValuer":       func(l *slog.Logger) { l.Info("x", "v", valuer{}) },
		"in a struct":          func(l *slog.Logger) { l.Info("x", "v", leaky{"n", canary}) },
		"in headers":           func(l *slog.Logger) { l.Info("x", "v", http.Header{"Authorization": {"token " + canary}}) },
		"in a list":            func(l *slog.Logger) { l.Info("x", "v", []string{token}) },
		"in bytes":             func(l *slog.Logger) { l.Info("x", "v", []byte(token)) },
		"in attributes before": func(l *slog.Logger) { l.With("a", token).WithGroup("g").With("b", token).Info("x") },
	} {
		for form, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var out bytes.Buffer
			log(slog.New(redact.NewHandler(handler(&out))))
			require.NotEmpty(t, out.String(), name)
			require.NotContains(t, out.String(), canary, "%s, %s", name, form)
			require.Contains(t, out.String(), "redacted", "%s, %s", name, form)
		}
	}
}

func TestHandlerKeepsTheRest(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(redact.NewHandler(slog.NewJSONHandler(&out, nil))).Info("served", "status", 200, "route", "GET /healthz", "ids", []int{1, 2}, "token_id", "tok_1")
	require.Contains(t, out.String(), `"status":200,"route":"GET /healthz","ids":[1,2],"token_id":"tok_1"`)
}
