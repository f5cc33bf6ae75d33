package secretsmanager_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/rotate/rotation"
	"redoubt/infra/workload/functions/rotate/secretsmanager"
	"redoubt/infra/workload/functions/rotate/secretstest"
)

func TestStoreKeepsVersions(t *testing.T) {
	t.Parallel()
	m := secretstest.Start(t)
	m.Add("app", "")
	m.Begin("app", "one")
	s := &secretsmanager.Store{Client: m.Client()}

	d, err := s.Describe(t.Context(), "app")
	require.NoError(t, err)
	require.True(t, d.RotationEnabled)
	require.Equal(t, map[string][]string{"one": {rotation.Pending}}, d.Stages)
	_, err = s.ByVersion(t.Context(), "app", "one")
	require.ErrorIs(t, err, rotation.ErrNoValue)
	_, err = s.ByStage(t.Context(), "app", rotation.Current)
	require.ErrorIs(t, err, rotation.ErrNoValue)

	v := rotation.Value{Engine: "postgres", Host: "db", Port: 5432, Database: "app", Username: "app_1", Password: "hunter2"}
	require.NoError(t, s.PutPending(t.Context(), "app", "one", v))
	require.NoError(t, s.MakeCurrent(t.Context(), "app", "one", ""))
	got, err := s.ByStage(t.Context(), "app", rotation.Current)
	require.NoError(t, err)
	require.Equal(t, v, got)
}

func TestStoreKeepsValuesOutOfErrors(t *testing.T) {
	t.Parallel()
	m := secretstest.Start(t)
	m.Add("app", "hunter2")
	s := &secretsmanager.Store{Client: m.Client()}
	_, err := s.ByStage(t.Context(), "app", rotation.Current)
	require.ErrorContains(t, err, "not the JSON of a database user")
	require.NotContains(t, err.Error(), "hunter2")
	err = s.PutPending(t.Context(), "app", "first", rotation.Value{Password: "hunter3"})
	require.ErrorContains(t, err, "store secret app")
	require.NotContains(t, err.Error(), "hunter")
	require.ErrorContains(t, s.MakeCurrent(t.Context(), "app", "two", ""), "make version two of secret app current")
	_, err = s.Describe(t.Context(), "none")
	require.ErrorContains(t, err, "describe secret none")
}
