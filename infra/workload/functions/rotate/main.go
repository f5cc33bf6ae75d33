// Rotate is the Lambda function that rotates an application's database user
// for AWS Secrets Manager; see package rotation for what it does.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"redoubt/infra/workload/functions/rotate/postgres"
	"redoubt/infra/workload/functions/rotate/rotation"
	"redoubt/infra/workload/functions/rotate/secretsmanager"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := run(context.Background(), log); err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	r, err := newRotation(os.Getenv, sm.NewFromConfig(aws))
	if err != nil {
		return err
	}
	lambda.Start(func(ctx context.Context, e rotation.Event) error {
		err := r.Handle(ctx, e)
		if err != nil {
			log.Error("step failed", "step", e.Step, "secret", e.SecretID, "version", e.Token, "error", err.Error())
			return err
		}
		log.Info("step done", "step", e.Step, "secret", e.SecretID, "version", e.Token)
		return nil
	})
	return nil
}

// newRotation reads the environment that the stack sets: DATABASE_HOST,
// DATABASE_PORT, DATABASE_NAME, DATABASE_ROLE, ADMIN_SECRET_ARN, and, if there
// are any, DATABASE_USER (see rotation.Rotation.User) and DATABASE_CA (PEM; see
// postgres.Authorities).
func newRotation(env func(string) string, client *sm.Client) (*rotation.Rotation, error) {
	var findings []error
	need := func(name string) string {
		value := env(name)
		if value == "" {
			findings = append(findings, fmt.Errorf("%s: empty (set it in the function's environment)", name))
		}
		return value
	}
	connection := rotation.Connection{Host: need("DATABASE_HOST"), Database: need("DATABASE_NAME")}
	role, admin, port := need("DATABASE_ROLE"), need("ADMIN_SECRET_ARN"), need("DATABASE_PORT")
	var err error
	if connection.Port, err = strconv.Atoi(port); err != nil && port != "" {
		findings = append(findings, fmt.Errorf("DATABASE_PORT: %q (a number)", port))
	}
	roots, err := postgres.Authorities(env("DATABASE_CA"), env("LAMBDA_TASK_ROOT"))
	if err != nil {
		findings = append(findings, fmt.Errorf("DATABASE_CA: %w", err))
	}
	if err := errors.Join(findings...); err != nil {
		return nil, err
	}
	return &rotation.Rotation{
		Secrets:    &secretsmanager.Store{Client: client},
		Database:   &postgres.Server{Connection: connection, Roots: roots},
		Connection: connection, Role: role, User: env("DATABASE_USER"), AdminSecret: admin, NewPassword: rand.Text,
	}, nil
}
