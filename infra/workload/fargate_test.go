package workload

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFargateSizes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		cpu, memory int
		want        string
	}{
		{256, 512, ""},
		{256, 2048, ""},
		{256, 4096, "from 512 to 2048"},
		{512, 4096, ""},
		{512, 1536, "memoryMiB: 1536"},
		{1024, 2048, ""},
		{1024, 1024, "from 2048 to 8192"},
		{2048, 16384, ""},
		{4096, 30720, ""},
		{4096, 31744, "from 8192 to 30720"},
		{8192, 20480, ""},
		{8192, 17408, "memoryMiB: 17408"},
		{16384, 122880, ""},
		{16384, 36864, "memoryMiB: 36864"},
		{768, 1024, "cpu: 768"},
	} {
		err := checkSize(tc.cpu, tc.memory)
		if tc.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tc.want)
	}
}
