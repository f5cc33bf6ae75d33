package network_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
)

var sixZones = []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f"}

func TestPlanOfTheUsualVpc(t *testing.T) {
	t.Parallel()
	plan, err := network.NewPlan("10.20.0.0/16", sixZones[:3])
	require.NoError(t, err)
	want := map[network.Tier][]string{
		network.App:      {"10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"},
		network.Public:   {"10.20.192.0/24", "10.20.193.0/24", "10.20.194.0/24"},
		network.Data:     {"10.20.208.0/24", "10.20.209.0/24", "10.20.210.0/24"},
		network.Endpoint: {"10.20.224.0/24", "10.20.225.0/24", "10.20.226.0/24"},
	}
	for tier, cidrs := range want {
		for i, s := range plan.In(tier) {
			require.Equal(t, cidrs[i], s.CIDR.String())
			require.Equal(t, sixZones[i], s.Zone)
			require.Equal(t, string("abc"[i]), s.Letter)
		}
	}
}

func TestPlanScalesDown(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		cidr string
		tier network.Tier
		want []string
	}{
		{"10.0.0.0/19", network.Public, []string{"10.0.24.0/27", "10.0.24.32/27"}},
		{"10.0.0.0/22", network.App, []string{"10.0.0.0/26", "10.0.0.64/26"}},
		{"10.0.0.0/22", network.Public, []string{"10.0.3.0/27", "10.0.3.32/27"}},
		{"10.0.0.0/22", network.Data, []string{"10.0.3.64/28", "10.0.3.80/28"}},
		{"10.0.0.0/22", network.Endpoint, []string{"10.0.3.128/27", "10.0.3.160/27"}},
	} {
		t.Run(fmt.Sprintf("%s of %s", tc.tier, tc.cidr), func(t *testing.T) {
			t.Parallel()
			plan, err := network.NewPlan(tc.cidr, sixZones[:2])
			require.NoError(t, err)
			var got []string
			for _, s := range plan.In(tc.tier) {
				got = append(got, s.CIDR.String())
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestPlanSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	two := sixZones[:2]
	for _, tc := range []struct {
		name, cidr string
		zones      []string
		want       []string
	}{
		{"too small for three zones", "10.0.0.0/22", sixZones[:3], []string{"a /22 does not hold four tiers in 3 availability zones (use /21 or larger"}},
		{"too small for six zones", "10.0.0.0/21", sixZones, []string{"use /20 or larger"}},
		{"no range", "10.20.0.0", two, []string{`cidr: "10.20.0.0" is no IPv4 range`}},
		{"IPv6", "fd00::/56", two, []string{"is no IPv4 range"}},
		{"host bits", "10.20.3.1/16", two, []string{"use 10.20.0.0/16"}},
		{"too large", "10.0.0.0/12", two, []string{"/12 is outside"}},
		{"too small at all", "10.0.0.0/24", two, []string{"/24 is outside"}},
		{"public addresses", "8.8.0.0/16", two, []string{"is not private address space"}},
		{"one zone", "10.0.0.0/16", sixZones[:1], []string{"availabilityZones: 1 zones"}},
		{"the same zone twice", "10.0.0.0/16", []string{"us-east-1a", "us-east-1a"}, []string{"availabilityZones[1]: us-east-1a is named twice"}},
		{"a Local Zone", "10.0.0.0/16", []string{"us-west-2a", "us-west-2-lax-1a"}, []string{"availabilityZones[1]:"}},
		{"two regions", "10.0.0.0/16", []string{"us-east-1a", "us-west-2a"}, []string{"is not in us-east-1"}},
		{"all at once", "8.8.8.8/8", nil, []string{"bits beyond", "private", "availabilityZones"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := network.NewPlan(tc.cidr, tc.zones)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// checkPlan holds a plan to what must be true of every plan.
func checkPlan(t require.TestingT, plan network.Plan) {
	require.Len(t, plan.Subnets, len(network.Tiers)*len(plan.Zones))
	for i, s := range plan.Subnets {
		require.Equal(t, s.CIDR.Masked(), s.CIDR, "aligned")
		require.LessOrEqual(t, s.CIDR.Bits(), 28, "AWS's smallest subnet")
		require.True(t, plan.VPC.Contains(s.CIDR.Addr()) && s.CIDR.Bits() > plan.VPC.Bits(), "%s inside %s", s.CIDR, plan.VPC)
		for _, other := range plan.Subnets[i+1:] {
			require.False(t, s.CIDR.Overlaps(other.CIDR), "%s and %s", s.CIDR, other.CIDR)
		}
	}
}

// Every size and number of zones either makes a sound plan or names a prefix that does.
func TestPlanHoldsForEverySize(t *testing.T) {
	t.Parallel()
	for bits := 16; bits <= 22; bits++ {
		for n := 2; n <= len(sixZones); n++ {
			plan, err := network.NewPlan(fmt.Sprintf("10.0.0.0/%d", bits), sixZones[:n])
			if err == nil {
				checkPlan(t, plan)
				continue
			}
			var have, zones, need int
			_, scanErr := fmt.Sscanf(err.Error(), "cidr: a /%d does not hold four tiers in %d availability zones (use /%d", &have, &zones, &need)
			require.NoError(t, scanErr, err)
			_, err = network.NewPlan(fmt.Sprintf("10.0.0.0/%d", need), sixZones[:n])
			require.NoError(t, err, "the prefix that the error names is enough")
			_, err = network.NewPlan(fmt.Sprintf("10.0.0.0/%d", need+1), sixZones[:n])
			require.Error(t, err, "and no longer one is")
		}
	}
}

// A zone added at the end must replace no subnet.
func TestPlanIsStableWhenAZoneIsAdded(t *testing.T) {
	t.Parallel()
	for n := 2; n < len(sixZones); n++ {
		before, err := network.NewPlan("10.20.0.0/16", sixZones[:n])
		require.NoError(t, err)
		after, err := network.NewPlan("10.20.0.0/16", sixZones[:n+1])
		require.NoError(t, err)
		require.Subset(t, after.Subnets, before.Subnets)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(byte(10), byte(20), byte(0), 16, 3)
	f.Add(byte(192), byte(168), byte(4), 22, 2)
	f.Add(byte(172), byte(31), byte(255), 20, 6)
	f.Add(byte(100), byte(127), byte(128), 17, 4)
	f.Fuzz(func(t *testing.T, a, b, c byte, bits, n int) {
		if n < 0 || n > len(sixZones) || bits < 0 || bits > 32 {
			return // no prefix, or more zones than the test has names for
		}
		vpc := netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, 0}), bits)
		plan, err := network.NewPlan(vpc.String(), sixZones[:n])
		if err != nil {
			require.Empty(t, plan)
			return
		}
		require.Equal(t, vpc, plan.VPC)
		checkPlan(t, plan)
	})
}
