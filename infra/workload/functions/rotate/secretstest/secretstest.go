// Package secretstest is AWS Secrets Manager for a test: the four calls that a
// rotation makes, over HTTP as the SDK speaks it, with the service's rules for
// versions and staging labels.
package secretstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Manager keeps secrets in memory.
type Manager struct {
	mu      sync.Mutex
	secrets map[string]*secret
	server  *httptest.Server
}

type secret struct {
	rotates bool
	// values by version; a version that a rotation started has none.
	values map[string]string
	stages map[string][]string
}

// Start starts an empty manager that ends with the test.
func Start(t testing.TB) *Manager {
	t.Helper()
	m := &Manager{secrets: map[string]*secret{}}
	m.server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.server.Close)
	return m
}

// Client is an SDK client of the manager.
func (m *Manager) Client() *sm.Client {
	return sm.New(sm.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(m.server.URL), HTTPClient: m.server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", ""),
		Retryer:     aws.NopRetryer{},
	})
}

// Add adds a secret with a value as its current version; without one if the
// value is empty, as a stack makes it before the first rotation.
func (m *Manager) Add(id, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &secret{rotates: true, values: map[string]string{}, stages: map[string][]string{}}
	if value != "" {
		s.values["first"], s.stages["first"] = value, []string{"AWSCURRENT"}
	}
	m.secrets[id] = s
}

// Rotates switches a secret's rotation on or off.
func (m *Manager) Rotates(id string, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[id].rotates = on
}

// Begin starts a rotation, as RotateSecret does: a version without a value,
// labelled AWSPENDING.
func (m *Manager) Begin(id, token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[id].label("AWSPENDING", token)
}

// Value is the value of the version with the label, empty for none.
func (m *Manager) Value(id, stage string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[id]
	return s.values[s.labelled(stage)]
}

// Overwrite sets a version's value behind the rotation's back.
func (m *Manager) Overwrite(id, version, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[id].values[version] = value
}

func (s *secret) labelled(stage string) string {
	for _, version := range slices.Sorted(maps.Keys(s.stages)) {
		if slices.Contains(s.stages[version], stage) {
			return version
		}
	}
	return ""
}

// label moves a label to a version; the one that was current becomes previous.
func (s *secret) label(stage, version string) {
	from := s.labelled(stage)
	if from == version {
		return
	}
	for v, stages := range s.stages {
		s.stages[v] = slices.DeleteFunc(stages, func(l string) bool { return l == stage })
	}
	s.stages[version] = append(s.stages[version], stage)
	if stage == "AWSCURRENT" && from != "" {
		s.label("AWSPREVIOUS", from)
	}
	maps.DeleteFunc(s.stages, func(_ string, stages []string) bool { return len(stages) == 0 })
}

// request holds the fields of all four calls.
type request struct {
	SecretID            string `json:"SecretId"`
	VersionID           string `json:"VersionId"`
	VersionStage        string
	VersionStages       []string
	ClientRequestToken  string
	SecretString        string
	MoveToVersionID     string `json:"MoveToVersionId"`
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
}

func (m *Manager) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"__type": "InvalidRequestException", "message": err.Error()})
		return
	}
	s, known := m.secrets[in.SecretID]
	if !known {
		answer(w, http.StatusBadRequest, map[string]any{"__type": "ResourceNotFoundException", "message": "no secret " + in.SecretID})
		return
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	calls := map[string]func(request) (map[string]any, error){
		"DescribeSecret": s.describe, "GetSecretValue": s.get, "PutSecretValue": s.put, "UpdateSecretVersionStage": s.move,
	}
	out, err := calls[action](in)
	if err != nil {
		code, message, _ := strings.Cut(err.Error(), ": ")
		answer(w, http.StatusBadRequest, map[string]any{"__type": code, "message": message})
		return
	}
	answer(w, http.StatusOK, out)
}

func (s *secret) describe(in request) (map[string]any, error) {
	return map[string]any{"ARN": in.SecretID, "RotationEnabled": s.rotates, "VersionIdsToStages": s.stages}, nil
}

func (s *secret) get(in request) (map[string]any, error) {
	version := in.VersionID
	if version == "" {
		version = s.labelled(in.VersionStage)
	}
	value, ok := s.values[version]
	if !ok {
		return nil, fmt.Errorf("ResourceNotFoundException: Secrets Manager can't find the specified secret value")
	}
	return map[string]any{"ARN": in.SecretID, "VersionId": version, "SecretString": value}, nil
}

// put refuses another value for a version that has one: that is how a step
// that runs twice must not behave.
func (s *secret) put(in request) (map[string]any, error) {
	if old, ok := s.values[in.ClientRequestToken]; ok && old != in.SecretString {
		return nil, fmt.Errorf("ResourceExistsException: the version has another value")
	}
	s.values[in.ClientRequestToken] = in.SecretString
	for _, stage := range in.VersionStages {
		s.label(stage, in.ClientRequestToken)
	}
	return map[string]any{"ARN": in.SecretID, "VersionId": in.ClientRequestToken}, nil
}

// move wants to be told from where, if the label is somewhere.
func (s *secret) move(in request) (map[string]any, error) {
	if from := s.labelled(in.VersionStage); from != in.RemoveFromVersionID {
		return nil, fmt.Errorf("InvalidParameterException: %s is on %q", in.VersionStage, from)
	}
	s.label(in.VersionStage, in.MoveToVersionID)
	return map[string]any{"ARN": in.SecretID}, nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	// The client's going away is the client's failure to report.
	_ = json.NewEncoder(w).Encode(body)
}
