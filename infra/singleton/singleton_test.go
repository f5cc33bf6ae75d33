package singleton_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/singleton"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		in   singleton.Singleton
		want string
	}{
		"manage":         {singleton.Singleton{Mode: singleton.Manage}, ""},
		"off":            {singleton.Singleton{Mode: singleton.Off}, ""},
		"adopt, look up": {singleton.Singleton{Mode: singleton.Adopt}, ""},
		"adopt by id":    {singleton.Singleton{Mode: singleton.Adopt, ID: "d-1"}, ""},
		"manage with id": {singleton.Singleton{Mode: singleton.Manage, ID: "d-1"}, `id "d-1" has no meaning with mode manage`},
		"no mode":        {singleton.Singleton{}, `mode "" is not a choice (one of manage, adopt, off)`},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := row.in.Validate()
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
		})
	}
}
