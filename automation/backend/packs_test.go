package backend_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// archive is a pack as the CLI sends it, with one file.
func archive(t testing.TB, file string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	tape := tar.NewWriter(z)
	require.NoError(t, tape.WriteHeader(&tar.Header{Name: file, Size: 1, Mode: 0o600}))
	_, err := tape.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, tape.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

// published is a pack that can be required.
func published(t testing.TB, w *world, name, tag string) backend.PolicyPack {
	t.Helper()
	pack, err := w.PublishPack(t.Context(), w.admin, backend.PolicyPack{Org: org, Name: name, Tag: tag})
	require.NoError(t, err)
	require.NoError(t, w.PutPackArchive(t.Context(), org, name, pack.Version, archive(t, "package/PulumiPolicy.yaml")))
	require.NoError(t, w.CompletePack(t.Context(), w.admin, org, name, tag))
	return pack
}

// report is the event that says that a pack looked at the stack.
func report(name, tag string) json.RawMessage {
	text, err := json.Marshal(map[string]any{"sequence": 7, "policyAnalyzeStackSummaryEvent": map[string]any{"policyPackName": name, "policyPackVersionTag": tag}})
	if err != nil {
		panic(err) // strings
	}
	return text
}

var packTests = []test{
	{"an update is compliant if all required packs reported", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		published(t, w, "rules", "1.0.0")
		published(t, w, "more", "1.0.0")
		for _, pack := range []string{"rules", "more"} {
			require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: pack, Config: json.RawMessage(`{"all":"mandatory"}`)}))
		}
		run := func(dry bool, events ...json.RawMessage) backend.Update {
			update, packs, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: dry})
			require.NoError(t, err)
			require.Len(t, packs, 2)
			require.Equal(t, "more", packs[0].Name)
			require.JSONEq(t, `{"all":"mandatory"}`, string(packs[0].Policies))
			require.Nil(t, packs[0].Archive)
			started, err := w.StartUpdate(t.Context(), w.admin, name, update.ID, nil, true)
			require.NoError(t, err)
			ref := backend.UpdateRef{Name: name, ID: update.ID, Token: started.Token}
			require.NoError(t, w.PutEvents(t.Context(), ref, events))
			require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
			return w.updated(t, ref)
		}
		require.True(t, run(false, report("rules", "1.0.0"), report("more", "1.0.0")).Compliant)
		require.NotContains(t, w.last(t).Detail, "compliant")
		one := run(false, report("rules", "1.0.0"), report("more", "0.9.0"), report("another", "1.0.0"))
		require.False(t, one.Compliant, "one did not, or it was another version")
		require.Equal(t, []bool{false, true}, []bool{one.Policies[0].Reported, one.Policies[1].Reported})
		require.Equal(t, "false", w.last(t).Detail["compliant"])
		require.False(t, run(false).Compliant)
		require.False(t, run(true).Compliant)
	}},
	{"a refresh and a destroy run no packs and are compliant", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		published(t, w, "rules", "1.0.0")
		require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules"}))
		for _, kind := range []backend.UpdateKind{backend.KindRefresh, backend.KindDestroy} {
			ref := w.start(t, name, backend.NewUpdate{Kind: kind}, true)
			require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
			require.True(t, w.updated(t, ref).Compliant)
		}
	}},
	{"what is required is complete, and is not deleted", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		_, err := w.PublishPack(t.Context(), w.admin, backend.PolicyPack{Org: org, Name: "rules", Tag: "1.0.0"})
		require.NoError(t, err)
		fails(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules"}), backend.CodeNotFound)
		fails(t, w.CompletePack(t.Context(), w.admin, org, "rules", "1.0.0"), backend.CodeInvalid, "missing or damaged")
		require.NoError(t, w.PutPackArchive(t.Context(), org, "rules", 1, archive(t, "other")))
		fails(t, w.CompletePack(t.Context(), w.admin, org, "rules", "1.0.0"), backend.CodeInvalid, "no package/PulumiPolicy.yaml")
		good := archive(t, "package/PulumiPolicy.yaml")
		require.NoError(t, w.PutPackArchive(t.Context(), org, "rules", 1, good[:len(good)/2]))
		fails(t, w.CompletePack(t.Context(), w.admin, org, "rules", "1.0.0"), backend.CodeInvalid, "damaged")
		_, err = w.PackArchive(t.Context(), org, "rules", 1)
		fails(t, err, backend.CodeNotFound)
		require.NoError(t, w.PutPackArchive(t.Context(), org, "rules", 1, good))
		require.NoError(t, w.CompletePack(t.Context(), w.admin, org, "rules", "1.0.0"))
		fails(t, w.PutPackArchive(t.Context(), org, "rules", 1, good), backend.CodeConflict, "versions do not change")
		_, err = w.PublishPack(t.Context(), w.admin, backend.PolicyPack{Org: org, Name: "rules", Tag: "1.0.0"})
		fails(t, err, backend.CodeConflict, "versions do not change")
		kept, err := w.PackArchive(t.Context(), org, "rules", 1)
		require.NoError(t, err)
		require.Equal(t, good, kept)

		fails(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules", Config: json.RawMessage("{")}), backend.CodeInvalid)
		require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules", Tag: "1.0.0"}))
		fails(t, w.DeletePack(t.Context(), w.admin, org, "rules", ""), backend.CodeConflict, "disable it first")
		fails(t, w.ReleasePack(t.Context(), w.admin, org, "rules", "2.0.0"), backend.CodeNotFound)
		packs, err := w.RequiredPacks(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Len(t, packs, 1)
		require.NoError(t, w.ReleasePack(t.Context(), w.admin, org, "rules", ""))
		require.NoError(t, w.DeletePack(t.Context(), w.admin, org, "rules", "1.0.0"))
		next, err := w.PublishPack(t.Context(), w.admin, backend.PolicyPack{Org: org, Name: "rules", Tag: "1.0.0"})
		require.NoError(t, err)
		require.EqualValues(t, 2, next.Version, "a number is not given again")
	}},
	{"an update that was interrupted before it did anything says nothing of packs", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		published(t, w, "rules", "1.0.0")
		require.NoError(t, w.RequirePack(t.Context(), w.admin, backend.PackRequirement{Org: org, Pack: "rules"}))
		ref := w.begin(t, name)
		w.pass(lease + time.Second)
		_, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.True(t, w.updated(t, ref).Compliant)
	}},
}
