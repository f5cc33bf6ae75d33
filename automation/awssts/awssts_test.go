package awssts_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"redoubt/automation/awssts"
	"redoubt/automation/awssts/ststest"
	"redoubt/automation/backend"
)

var accounts = awssts.Accounts{
	{
		Stacks: []string{"acme/shop/prod*"}, ID: "111122223333", ExternalID: "redoubt-acme-1", Region: "eu-central-1",
		PreviewRole: "redoubt-preview", LaunchRole: "redoubt-launch-{blueprint}", Session: time.Hour,
	},
	{
		Stacks: []string{"acme/shop", "other"}, ID: "444455556666", ExternalID: "redoubt-acme-2", Region: "us-gov-west-1",
		PreviewRole: "teams/look", LaunchRole: "teams/make-{blueprint}", Session: 15 * time.Minute,
	},
}

func open(t *testing.T, s *ststest.Service) *awssts.Roles {
	t.Helper()
	roles, err := awssts.Open(t.Context(), accounts, func(o *sts.Options) {
		o.BaseEndpoint = aws.String(s.Serve(t))
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "own-secret", "")
		o.RetryMaxAttempts = 1
	})
	require.NoError(t, err)
	return roles
}

func stack(name string) backend.StackName {
	parts := strings.Split(name, "/")
	return backend.StackName{Org: parts[0], Project: parts[1], Stack: parts[2]}
}

func request(name, phase string, launch bool) awssts.Request {
	return awssts.Request{Stack: stack(name), Operation: "op_01jd", Phase: phase, Blueprint: "secure-bucket", Launch: launch}
}

// Which role a run has is decided by the operator's list, its phase and its blueprint.
func TestRoles(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, stack, phase string
		launch             bool
		role, external     string
		seconds            string
		region             string
	}{
		{"preview", "acme/shop/prod-1", "preview", false, "arn:aws:iam::111122223333:role/redoubt-preview", "redoubt-acme-1", "3600", "eu-central-1"},
		{"launch", "acme/shop/prod-1", "up", true, "arn:aws:iam::111122223333:role/redoubt-launch-secure-bucket", "redoubt-acme-1", "3600", "eu-central-1"},
		{"case does not matter", "Acme/Shop/PROD", "up", true, "arn:aws:iam::111122223333:role/redoubt-launch-secure-bucket", "redoubt-acme-1", "3600", "eu-central-1"},
		{"other stacks of the project", "acme/shop/dev", "destroy", true, "arn:aws-us-gov:iam::444455556666:role/teams/make-secure-bucket", "redoubt-acme-2", "900", "us-gov-west-1"},
		{"a whole organization", "other/any/thing", "preview-refresh", false, "arn:aws-us-gov:iam::444455556666:role/teams/look", "redoubt-acme-2", "900", "us-gov-west-1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := &ststest.Service{}
			session, err := open(t, s).Assume(t.Context(), request(row.stack, row.phase, row.launch))
			require.NoError(t, err)
			defer func() { require.NoError(t, session.Close()) }()
			require.Equal(t, row.role, session.Role)
			calls := s.Calls()
			require.Len(t, calls, 1)
			c := calls[0]
			require.Equal(t, row.role, c.Role)
			require.Equal(t, row.external, c.ExternalID)
			require.Equal(t, "op_01jd-"+row.phase, c.SessionName)
			require.Equal(t, row.seconds, c.Duration)
			require.Contains(t, c.Authorization, "/"+row.region+"/sts/")
			parts := strings.Split(strings.ToLower(row.stack), "/")
			require.Equal(t, map[string]string{
				"redoubt:organization": parts[0], "redoubt:project": parts[1], "redoubt:stack": parts[2], "redoubt:operation": "op_01jd",
			}, c.Tags)
			require.Equal(t, row.launch, c.Policy == "", "a preview's session cannot read secrets, whatever the role says")
		})
	}
}

func TestAStackThatNoAccountIsAllowedForHasNone(t *testing.T) {
	t.Parallel()
	s := &ststest.Service{}
	for _, name := range []string{"acme/shops/prod", "acm/shop/prod", "acme2/shop/prod"} {
		_, err := open(t, s).Assume(t.Context(), request(name, "up", true))
		require.ErrorContains(t, err, "no AWS account is allowed for stack "+name)
	}
	require.Empty(t, s.Calls(), "AWS is not even asked")
}

// An SDK of AWS in the run's processes finds the credentials by the environment,
// and nobody else does.
func TestCredentialsAreTheRunsAlone(t *testing.T) {
	s := &ststest.Service{}
	roles := open(t, s)
	one, err := roles.Assume(t.Context(), request("acme/shop/prod", "preview", false))
	require.NoError(t, err)
	two, err := roles.Assume(t.Context(), request("acme/shop/prod", "up", true))
	require.NoError(t, err)
	defer func() { require.NoError(t, two.Close()) }()

	env := one.Env()
	for name, value := range env {
		for _, secret := range one.Secrets() {
			require.NotContains(t, value, secret, name)
		}
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "") // as engine.WithoutAWS has it
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range env {
		t.Setenv(name, value)
	}
	run, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	require.Equal(t, "eu-central-1", run.Region)
	got, err := run.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, one.Secrets(), []string{got.AccessKeyID, got.SecretAccessKey, got.SessionToken})
	require.Equal(t, s.Role(got.AccessKeyID), one.Role)
	require.True(t, got.CanExpire)

	for _, token := range []string{"", "Bearer", two.Env()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]} {
		status, text := get(t, env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], token)
		require.Equal(t, http.StatusForbidden, status)
		require.NotContains(t, text, got.SecretAccessKey)
	}
	require.NoError(t, one.Close())
	_, err = endpointcreds.New(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], func(o *endpointcreds.Options) {
		o.AuthorizationToken = env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
		o.Retryer = aws.NopRetryer{}
	}).Retrieve(t.Context())
	require.Error(t, err, "they end with the run")
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it is read
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

// Who asks again near the end gets new credentials, and their secrets are told first.
func TestCredentialsAreRenewed(t *testing.T) {
	t.Parallel()
	// Real sessions of 15 minutes are renewed in their second half.
	s := &ststest.Service{Lasts: 5 * time.Minute}
	session, err := open(t, s).Assume(t.Context(), request("acme/shop/dev", "up", true))
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	var told []string
	session.Renewed(func(secrets ...string) { told = append(told, secrets...) })
	first := session.Secrets()
	require.Equal(t, first, told)

	env := session.Env()
	got := map[string]string{}
	status, text := get(t, env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], env["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.NotEqual(t, first[0], got["AccessKeyId"])
	require.Equal(t, []string{got["AccessKeyId"], got["SecretAccessKey"], got["Token"]}, told[3:6])
	require.Len(t, s.Calls(), 2)

	s.Refuse("AccessDenied")
	status, text = get(t, env["AWS_CONTAINER_CREDENTIALS_FULL_URI"], env["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, text, "AWS does not let this server assume arn:aws-us-gov:iam::444455556666:role/teams/make-secure-bucket")
}

func TestRefusalsSayWhichRoleAndWhatToDo(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"AccessDenied":            "the role must be there, and trust this server",
		"ValidationError":         "maximum session duration",
		"RegionDisabledException": "activate it",
		"ExpiredToken":            "the operator renews them",
		"InternalFailure":         "try it again later",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := &ststest.Service{}
			s.Refuse(code)
			_, err := open(t, s).Assume(t.Context(), request("acme/shop/prod", "up", true))
			var refused *awssts.Error
			require.ErrorAs(t, err, &refused)
			for _, part := range []string{want, code, "arn:aws:iam::111122223333:role/redoubt-launch-secure-bucket", "account 111122223333", "stack acme/shop/prod, up"} {
				require.ErrorContains(t, err, part)
			}
			require.NotContains(t, err.Error(), "redoubt-acme-1")
			require.NotContains(t, err.Error(), ststest.Said, "what AWS says is for the log")
			require.ErrorContains(t, refused.Cause, ststest.Said)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t, &ststest.Service{}).Assume(ctx, request("acme/shop/prod", "up", true))
	require.ErrorContains(t, err, "this server needs credentials of its own")
}

func TestAccountsOfAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(`accounts:
  - stacks: [acme/shop/prod-*]
    account: "111122223333"
    externalId: redoubt-acme
    region: eu-central-1
  - stacks: [acme]
    account: "444455556666"
    externalId: redoubt-acme
    region: cn-north-1
    previewRole: look
    launchRole: make-{blueprint}
    session: 30m
`)
	read, err := awssts.ReadAccounts(file)
	require.NoError(t, err)
	require.Equal(t, "redoubt-preview", read[0].PreviewRole)
	require.Equal(t, "redoubt-launch-secure-bucket", read[0].Launcher("secure-bucket"))
	require.Equal(t, time.Hour, read[0].Session)
	require.Equal(t, "arn:aws-cn:iam::444455556666:role/make-b", read[1].ARN(read[1].Launcher("b")))
	require.Equal(t, 30*time.Minute, read[1].Session)

	write(`accounts:
  - stacks: [a/b/c/d, "", acme]
    account: "12"
    externalId: ""
    region: europe
    previewRole: "a b"
    launchRole: one-for-all
    session: 2h
  - stacks: [ACME]
  - stacks: [acme2]
`)
	_, err = awssts.ReadAccounts(file)
	for _, want := range []string{
		`accounts[0].stacks: "a/b/c/d"`, `accounts[0].stacks: ""`, "accounts[0].account:", "accounts[0].externalId:", "accounts[0].region:", "accounts[0].previewRole:",
		"accounts[0].launchRole: has no {blueprint}", "accounts[0].session: 2h0m0s", `accounts[1].stacks: "acme" is taken by accounts[0]`, `accounts[2].account: accounts[1] has the same roles`, "accounts[1].account:",
	} {
		require.ErrorContains(t, err, want, "all at once")
	}
	for _, text := range []string{"", "accounts: []", "accounts: [{stack: [x]}]", "- x"} {
		write(text)
		_, err = awssts.ReadAccounts(file)
		require.ErrorContains(t, err, file, text)
	}
	_, err = awssts.ReadAccounts(file + "s")
	require.ErrorContains(t, err, "cannot be read")
}
