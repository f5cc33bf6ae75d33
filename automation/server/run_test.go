package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
)

// slow begins a request whose body is not all there yet: it ends when the body
// does. answered has its status, 0 if it was cut off.
func slow(t *testing.T, s *running, token string) (body *io.PipeWriter, answered chan int) {
	t.Helper()
	reader, writer := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, s.URL()+"/v0/admin/organizations", reader)
	require.NoError(t, err)
	request.Header.Set("Authorization", "token "+token)
	answered = make(chan int, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	_, err = writer.Write([]byte(`{"name":`))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, body := get(t, "http://"+s.MetricsAddr().String()+"/metrics")
		return strings.Contains(body, "redoubt_http_in_flight 1")
	}, patience, 5*time.Millisecond)
	return writer, answered
}

func TestStoppingFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	s, client := bootstrap(t, configure(t, func(c *server.Config) { c.Metrics.Listen = "127.0.0.1:0" }))
	body, answered := slow(t, s, client.Token)
	url := s.URL()
	stopped := make(chan struct{})
	go func() { s.Stop(); close(stopped) }()
	require.Eventually(t, func() bool { // nothing new is taken
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url + "/healthz")
		if err == nil {
			_ = response.Body.Close()
		}
		return err != nil
	}, patience, 5*time.Millisecond)
	select {
	case <-stopped:
		t.Fatal("it did not wait for the request")
	default:
	}
	_, err := body.Write([]byte(`"late"}`))
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Equal(t, http.StatusCreated, <-answered)
	<-stopped
	require.Contains(t, s.Log.String(), "msg=stopped")
}

func TestStoppingDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	s, client := bootstrap(t, configure(t, func(c *server.Config) {
		c.Metrics.Listen, c.Limits.Shutdown = "127.0.0.1:0", 50*time.Millisecond
	}))
	body, answered := slow(t, s, client.Token)
	s.Stop()
	require.NoError(t, body.Close())
	require.Zero(t, <-answered, "it was cut off")
	require.Contains(t, s.Log.String(), "requests were cut off")
}
