package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
)

// lockedBucket is a bucket of Amazon S3 with Object Lock. One request is all that is
// asked of it.
type lockedBucket struct {
	// name is "s3://bucket/prefix", as it was configured.
	name      string
	address   *url.URL
	region    string
	aws       aws.Config
	retention time.Duration
	client    *http.Client
}

var bucketForm = regexp.MustCompile(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/[A-Za-z0-9._/-]*)?$`)

// openBucket takes credentials and region as any program of AWS's SDK does. It asks
// for nothing.
func openBucket(ctx context.Context, name string, retention time.Duration) (*lockedBucket, error) {
	parts := bucketForm.FindStringSubmatch(name)
	if parts == nil {
		return nil, fmt.Errorf("%q is no bucket: s3://name/prefix", name)
	}
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("the credentials for Amazon S3: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("in which region is the bucket? Set AWS_REGION")
	}
	b := &lockedBucket{name: name, region: loaded.Region, aws: loaded, retention: retention, client: &http.Client{Timeout: 30 * time.Second}}
	endpoint := os.Getenv("AWS_ENDPOINT_URL_S3")
	if endpoint == "" {
		endpoint = aws.ToString(loaded.BaseEndpoint)
	}
	if endpoint == "" {
		domain := "amazonaws.com"
		if strings.HasPrefix(b.region, "cn-") {
			domain += ".cn"
		}
		// With the bucket in the path: a name with dots fits no certificate.
		endpoint = "https://s3." + b.region + "." + domain
	}
	if b.address, err = url.Parse(endpoint); err != nil {
		return nil, err
	}
	b.address.Path = path.Join("/", b.address.Path, parts[1], parts[2])
	return b, nil
}

// put makes an object that cannot be changed or removed for a while. One that is there
// already stays as it is.
func (b *lockedBucket) put(ctx context.Context, name string, text []byte) error {
	address := *b.address
	address.Path = path.Join(address.Path, name)
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address.String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	sum, now := sha256.Sum256(text), time.Now().UTC()
	for header, value := range map[string]string{
		"Content-Type": "application/json", "If-None-Match": "*",
		"X-Amz-Content-Sha256": hex.EncodeToString(sum[:]), "X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum[:]),
		"X-Amz-Object-Lock-Mode": "COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date": now.Add(b.retention).Format(time.RFC3339),
	} {
		request.Header.Set(header, value)
	}
	credentials, err := b.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("the credentials for Amazon S3: %w", err)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "s3", b.region, now); err != nil {
		return err
	}
	response, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	said, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	switch response.StatusCode {
	case http.StatusOK, http.StatusPreconditionFailed:
		return nil
	}
	code := regexp.MustCompile(`<Code>(\w+)</Code>`).FindSubmatch(said)
	why := response.Status
	if code != nil {
		why += " " + string(code[1])
	}
	return fmt.Errorf("%s refused an object with Object Lock: %s (the bucket needs Object Lock and versioning, this process s3:PutObject and s3:PutObjectRetention)", b.name, why)
}
