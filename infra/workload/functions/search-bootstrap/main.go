// Search-bootstrap is the Lambda function that sets up an OpenSearch domain
// inside its VPC; see package search for what it does. The event is a
// search.Setup.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"redoubt/infra/workload/functions/search-bootstrap/search"
)

// requestTimeout is for one request: applying a policy takes a moment, a
// missing network path would take for ever.
const requestTimeout = 20 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := run(context.Background(), log); err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	domain, err := newDomain(os.Getenv, settings)
	if err != nil {
		return err
	}
	lambda.Start(func(ctx context.Context, s search.Setup) (search.Result, error) {
		r, err := domain.Apply(ctx, s)
		if err != nil {
			log.Error("setup failed", "written", r.Written, "error", err.Error())
			return r, err
		}
		log.Info("setup done", "written", r.Written, "unchanged", len(r.Unchanged))
		return r, nil
	})
	return nil
}

// newDomain reads the environment that the stack sets: SEARCH_ENDPOINT, the
// domain's host name.
func newDomain(env func(string) string, settings aws.Config) (*search.Domain, error) {
	host := env("SEARCH_ENDPOINT")
	switch {
	case host == "":
		return nil, errors.New("SEARCH_ENDPOINT: empty (the domain's host name)")
	case strings.Contains(host, "/"):
		return nil, fmt.Errorf("SEARCH_ENDPOINT: %q (a host name, without a scheme or a path)", host)
	}
	return &search.Domain{
		Endpoint: "https://" + host, Region: settings.Region, Credentials: settings.Credentials,
		Client: &http.Client{Timeout: requestTimeout},
	}, nil
}
