package search

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// answerLimit is how much of an answer is read, in bytes.
const answerLimit = 4 << 20

// Domain is an OpenSearch domain.
type Domain struct {
	// Endpoint is "https://…", without a path.
	Endpoint string
	Region   string
	// Credentials sign the requests: IAM is how the domain knows callers.
	Credentials aws.CredentialsProvider
	Client      *http.Client
	// Now is the clock; nil for the system's.
	Now func() time.Time
}

// call sends a signed request and decodes the JSON that comes back.
func (d *Domain) call(ctx context.Context, method, path string, query url.Values, body []byte) (int, map[string]any, error) {
	target := strings.TrimSuffix(d.Endpoint, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("endpoint %q: %w (https://<host>)", d.Endpoint, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if err := d.sign(ctx, req, body); err != nil {
		return 0, nil, err
	}
	res, err := d.Client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%w (do the security groups let the function reach the domain on 443?)", err)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: answer: %w", method, path, err)
	}
	answer, _ := decoded(text).(map[string]any)
	return res.StatusCode, answer, nil
}

// sign adds Signature Version 4 for the service "es", with the hash of the body
// as a header of its own, which OpenSearch wants.
func (d *Domain) sign(ctx context.Context, req *http.Request, body []byte) error {
	credentials, err := d.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("credentials: %w (the function's role gives them)", err)
	}
	now := time.Now
	if d.Now != nil {
		now = d.Now
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hash, "es", d.Region, now()); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}

// decoded keeps numbers as they are written: sequence numbers are compared and
// sent back. It is nil for what is no JSON.
func decoded(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil
	}
	return v
}
