package webhook_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
	"redoubt/automation/webhook"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func delivery() provision.Delivery {
	return provision.Delivery{ID: "dlv_1", Type: "webhook.test", Payload: json.RawMessage(`{"type":"webhook.test"}`)}
}

// A receiver that uses the specification's own library takes it, with either of
// the secrets of a rotation.
func TestSendIsSigned(t *testing.T) {
	t.Parallel()
	type got struct {
		header http.Header
		body   []byte
	}
	received := make(chan got, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		received <- got{r.Header, body}
	}))
	t.Cleanup(server.Close)
	secrets := [][]byte{[]byte("a new secret of thirty-two bytes"), []byte("the one before, of as many bytes")}
	status, err := webhook.NewSender("test", loopback).Send(t.Context(), provision.Webhook{URL: server.URL + "/hook?token=x"}, secrets, delivery(), time.Now())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	r := <-received
	require.JSONEq(t, `{"type":"webhook.test"}`, string(r.body))
	for _, secret := range secrets {
		receiver, err := standardwebhooks.NewWebhookRaw(secret)
		require.NoError(t, err)
		require.NoError(t, receiver.Verify(r.body, r.header))
	}
	stranger, err := standardwebhooks.NewWebhookRaw([]byte("somebody else's"))
	require.NoError(t, err)
	require.Error(t, stranger.Verify(r.body, r.header))
}

func TestSendGoesToPublicAddressesOnly(t *testing.T) {
	t.Parallel()
	touched := make(chan struct{}, 10)
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched <- struct{}{} }))
	t.Cleanup(inside.Close)
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	require.NoError(t, err)
	sender := webhook.NewSender("test", nil)
	for _, address := range []string{
		inside.URL, "http://localhost:" + port, "http://127.1:" + port, "http://[::ffff:127.0.0.1]:" + port,
		"http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http://0.0.0.0:" + port,
	} {
		_, err := sender.Send(t.Context(), provision.Webhook{URL: address}, [][]byte{[]byte("secret")}, delivery(), time.Now())
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), port, "an error tells nothing of what is inside")
	}
	require.Empty(t, touched)
}

// A redirect would lead past the guard's first look, and its target got a signed
// body.
func TestSendFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	touched := make(chan struct{}, 1)
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched <- struct{}{} }))
	t.Cleanup(target.Close)
	server := httptest.NewServer(http.RedirectHandler(target.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	status, err := webhook.NewSender("test", loopback).Send(t.Context(), provision.Webhook{URL: server.URL}, [][]byte{[]byte("secret")}, delivery(), time.Now())
	require.ErrorContains(t, err, "it answered 307")
	require.Equal(t, http.StatusTemporaryRedirect, status)
	require.Empty(t, touched)
}

func TestSendSaysWhyNot(t *testing.T) {
	t.Parallel()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tls.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secretive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "root:x:0:0", http.StatusTeapot)
	}))
	t.Cleanup(secretive.Close)
	for _, c := range []struct{ name, url, want string }{
		{"a certificate of nobody", tls.URL, "its TLS certificate is not valid"},
		{"nobody there", closed.URL, "the connection was refused"},
		{"no such name", "http://nobody.invalid/", "the name nobody.invalid cannot be resolved"},
		{"an answer, which is not repeated", secretive.URL, "it answered 418 I'm a teapot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := webhook.NewSender("test", loopback).Send(t.Context(), provision.Webhook{URL: c.url}, [][]byte{[]byte("secret")}, delivery(), time.Now())
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "root:x")
		})
	}
}
