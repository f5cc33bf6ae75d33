package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var textTests = []test{
	{"what is no text is refused before the database sees it", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		for _, bad := range []string{"a\x00b", "\xff\xfe"} {
			for name, do := range map[string]func(backend.Tx) error{
				"a lookup": func(tx backend.Tx) error { _, err := tx.StackByID(bad); return err },
				"a message": func(tx backend.Tx) error {
					u := run("upd_2", "stk_01")
					u.Message = bad
					return tx.CreateUpdate(u)
				},
				"a tag": func(tx backend.Tx) error {
					it := stack(2)
					it.Tags = map[string]string{"a": bad}
					return tx.CreateStack(it)
				},
			} {
				update(t, s, func(tx backend.Tx) {
					require.Equal(t, backend.CodeInvalid, backend.CodeOf(do(tx)), name)
					require.NoError(t, tx.PutSetting("went", []byte("on")))
				})
			}
		}
	}},
	{"what looks like SQL is text", func(t *testing.T, s backend.Store) {
		for _, text := range []string{"'; DROP TABLE stacks; --", "$1", "%", "_", "?", ":a", `\`, "NULL"} {
			it := stack(1)
			it.ID, it.Name.Stack, it.Tags = text, text, map[string]string{text: text}
			update(t, s, func(tx backend.Tx) { require.NoError(t, tx.CreateStack(it)) })
			require.Equal(t, []backend.Stack{it}, got(t, s, func(tx backend.Tx) ([]backend.Stack, error) {
				return tx.Stacks(backend.StackQuery{TagName: text, TagValue: text})
			}))
		}
	}},
}
