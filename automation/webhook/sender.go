package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"redoubt/automation/provision"
)

const (
	// timeout is for one attempt, from the name's resolution to the answer's end.
	timeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, so that the connection can be used
	// again.
	maxAnswer = 64 << 10
)

// Sender makes one attempt at a delivery.
type Sender struct {
	client  *http.Client
	version string
}

// NewSender makes a sender that connects to public addresses on the usual ports,
// and to those of the networks that the operator allows besides, on any port.
func NewSender(version string, allowed []netip.Prefix) *Sender {
	guard := guardOf(allowed)
	dialer := &net.Dialer{Timeout: timeout, Control: guard}
	return &Sender{version: version, client: &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			// No proxy of the environment: it would make the connection for us, to where
			// the guard does not see.
			Proxy: nil, DialContext: dialer.DialContext,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: timeout, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errPrivate is for an address that is not public.
var errPrivate = errors.New("the name leads to an address that is not public, or to an unusual port; the operator can allow networks")

// guardOf looks at the address that a connection is about to be made to.
func guardOf(allowed []netip.Prefix) func(network, address string, c syscall.RawConn) error {
	public := ssrf.New()
	return func(network, address string, c syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err == nil {
			for _, prefix := range allowed {
				if prefix.Contains(to.Addr().Unmap()) {
					return nil
				}
			}
		}
		if err := public.Safe(network, address, c); err != nil {
			return errPrivate
		}
		return nil
	}
}

// Send makes one attempt. status is the answer's, 0 for none. The error is for
// people and holds neither secrets nor what the receiver answered: who may make a
// webhook could read the network with it.
func (s *Sender) Send(ctx context.Context, hook provision.Webhook, secrets [][]byte, d provision.Delivery, now time.Time) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return 0, errors.New("its address is none")
	}
	signatures, err := sign(secrets, d, now)
	if err != nil {
		return 0, err
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"redoubt/" + s.version},
		standardwebhooks.HeaderWebhookID:        {d.ID},
		standardwebhooks.HeaderWebhookTimestamp: {strconv.FormatInt(now.Unix(), 10)},
		standardwebhooks.HeaderWebhookSignature: {signatures},
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, reason(err)
	}
	defer response.Body.Close()                                          //nolint:errcheck // what is read of it does not matter
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // as above
	if response.StatusCode/100 != 2 {
		return response.StatusCode, fmt.Errorf("it answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return response.StatusCode, nil
}

// sign signs with each of the secrets: during a rotation the receiver may know
// either.
func sign(secrets [][]byte, d provision.Delivery, now time.Time) (string, error) {
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		signer, err := standardwebhooks.NewWebhookRaw(secret)
		if err != nil {
			return "", err
		}
		signature, err := signer.Sign(d.ID, now, d.Payload)
		if err != nil {
			return "", err
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
}

// reason is why there was no answer, without addresses inside the network.
func reason(err error) error {
	var name *net.DNSError
	var wait net.Error
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate
	case errors.As(err, &name):
		return fmt.Errorf("the name %s cannot be resolved", name.Name)
	case errors.As(err, &wait) && wait.Timeout():
		return fmt.Errorf("it did not answer within %s", timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection was refused")
	case strings.Contains(err.Error(), "x509") || strings.Contains(err.Error(), "tls:"):
		return errors.New("its TLS certificate is not valid for it")
	default:
		return errors.New("the connection failed")
	}
}
