// Package secretsmanager keeps rotation's secrets in AWS Secrets Manager.
package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"redoubt/infra/workload/functions/rotate/rotation"
)

// Store implements rotation.Secrets with the API.
type Store struct{ Client *sm.Client }

// Describe implements rotation.Secrets.
func (s *Store) Describe(ctx context.Context, secret string) (rotation.Description, error) {
	out, err := s.Client.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: &secret})
	if err != nil {
		return rotation.Description{}, fmt.Errorf("describe secret %s: %w", secret, err)
	}
	return rotation.Description{RotationEnabled: aws.ToBool(out.RotationEnabled), Stages: out.VersionIdsToStages}, nil
}

// ByStage implements rotation.Secrets.
func (s *Store) ByStage(ctx context.Context, secret, stage string) (rotation.Value, error) {
	return s.value(ctx, &sm.GetSecretValueInput{SecretId: &secret, VersionStage: &stage})
}

// ByVersion implements rotation.Secrets.
func (s *Store) ByVersion(ctx context.Context, secret, version string) (rotation.Value, error) {
	return s.value(ctx, &sm.GetSecretValueInput{SecretId: &secret, VersionId: &version})
}

// value never wraps the decoder's error, which may quote the value.
func (s *Store) value(ctx context.Context, in *sm.GetSecretValueInput) (rotation.Value, error) {
	var value rotation.Value
	out, err := s.Client.GetSecretValue(ctx, in)
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return value, fmt.Errorf("secret %s: %w", *in.SecretId, rotation.ErrNoValue)
	case err != nil:
		return value, fmt.Errorf("read secret %s: %w", *in.SecretId, err)
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value); err != nil {
		return rotation.Value{}, fmt.Errorf("secret %s: the value is not the JSON of a database user (cancel the rotation and start another)", *in.SecretId)
	}
	return value, nil
}

// PutPending implements rotation.Secrets.
func (s *Store) PutPending(ctx context.Context, secret, version string, value rotation.Value) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("secret %s: encode: %w", secret, err)
	}
	_, err = s.Client.PutSecretValue(ctx, &sm.PutSecretValueInput{
		SecretId: &secret, ClientRequestToken: &version, SecretString: aws.String(string(text)), VersionStages: []string{rotation.Pending},
	})
	if err != nil {
		return fmt.Errorf("store secret %s: %w", secret, err)
	}
	return nil
}

// MakeCurrent implements rotation.Secrets.
func (s *Store) MakeCurrent(ctx context.Context, secret, version, from string) error {
	in := &sm.UpdateSecretVersionStageInput{SecretId: &secret, VersionStage: aws.String(rotation.Current), MoveToVersionId: &version}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if _, err := s.Client.UpdateSecretVersionStage(ctx, in); err != nil {
		return fmt.Errorf("make version %s of secret %s current: %w", version, secret, err)
	}
	return nil
}
