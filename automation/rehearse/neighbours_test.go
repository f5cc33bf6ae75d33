package rehearse

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/infra/config"
	"redoubt/internal/rehearsal"
)

// sharedAccount is the account that Pulumi.staging.yaml names; dev names none.
const sharedAccount = "210987654321"

// manager is what dev makes for the account here, besides its defaults.
var manager = map[string]string{
	"detection.securityHub.mode":     "manage",
	"detection.config.mode":          "manage",
	"detection.inspector.mode":       "manage",
	"detection.inspected[0]":         "ECR",
	"detection.macie.mode":           "manage",
	"costs.monitor.mode":             "manage",
	"identity.passwordPolicy.mode":   "manage",
	"identity.tokenPreferences.mode": "manage",
	"identity.accountGuards.mode":    "manage",
	"identity.externalAnalyzer.mode": "manage",
	"contacts.alternate.mode":        "manage",
}

// small switches off what staging has and neighbours do not touch.
var small = map[string]string{
	"backup.enabled":     "false",
	"database.instances": "1",
	"network.endpoints":  "none",
	"search.ingest":      "false",
}

// contested are the resources that dev manages and that the account has one of,
// with what AWS says to a second stack that makes them: its code, or nothing,
// where it overwrites in silence. The claims of the stacks cover both.
var contested = []struct{ field, token, code string }{
	{"detection.guardDuty", "aws:guardduty/detector:Detector", "BadRequestException"},
	{"detection.securityHub", "aws:securityhub/account:Account", "ResourceConflictException"},
	{"detection.config", "aws:cfg/recorder:Recorder", "MaxNumberOfConfigurationRecordersExceededException"},
	{"detection.config", "aws:cfg/deliveryChannel:DeliveryChannel", "MaxNumberOfDeliveryChannelsExceededException"},
	{"detection.inspector", "aws:inspector2/enabler:Enabler", ""},
	{"detection.macie", "aws:macie2/account:Account", "ConflictException"},
	{"costs.monitor", "aws:costexplorer/anomalyMonitor:AnomalyMonitor", "ValidationException"},
	{"identity.passwordPolicy", "aws:iam/accountPasswordPolicy:AccountPasswordPolicy", ""},
	{"identity.tokenPreferences", "aws:iam/securityTokenServicePreferences:SecurityTokenServicePreferences", ""},
	{"identity.accountGuards", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", ""},
	{"identity.accountGuards", "aws:ebs/encryptionByDefault:EncryptionByDefault", ""},
	{"identity.accountGuards", "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", ""},
	{"identity.accountGuards", "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", ""},
	{"identity.accountGuards", "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", ""},
	{"identity.accountGuards", "aws:ec2/serialConsoleAccess:SerialConsoleAccess", ""},
	{"identity.accountGuards", "aws:xray/encryptionConfig:EncryptionConfig", ""},
	{"identity.externalAnalyzer", "aws:accessanalyzer/analyzer:Analyzer", "ServiceQuotaExceededException"},
	{"contacts.alternate", "aws:account/alternativeContact:AlternativeContact", ""},
	{"api.account", "aws:apigateway/account:Account", ""},
	{"search.createServiceLinkedRole", "aws:iam/serviceLinkedRole:ServiceLinkedRole", "InvalidInput"},
}

// adopting are the keys that docs/neighbours.md tells the second stack to set.
func adopting(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/neighbours.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, block, "docs/neighbours.md has no YAML")
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(block[1], &file))
	fields := map[string]string{}
	var leaves func(path string, value any)
	leaves = func(path string, value any) {
		if fieldsOf, ok := value.(map[string]any); ok {
			for name, inner := range fieldsOf {
				leaves(path+"."+name, inner)
			}
			return
		}
		fields[path] = fmt.Sprint(value)
	}
	for key, value := range file.Config {
		section, ours := strings.CutPrefix(key, config.Project+":")
		require.True(t, ours, key)
		leaves(section, value)
	}
	return fields
}

// A singleton that the page forgets would be managed by both, or by neither.
func TestThePageNamesEverySingleton(t *testing.T) {
	t.Parallel()
	documented := adopting(t)
	for _, field := range config.Singletons() {
		if field != "edge.shield.subscription" { // off by default: nobody buys one by leaving it out
			require.Contains(t, []string{"adopt", "off"}, documented[field+".mode"], field)
		}
	}
}

// neighbourhood is one account with two stacks.
type neighbourhood struct {
	account       *rehearsal.Account
	first, second *engine.Scratch
}

func newNeighbourhood(t *testing.T) neighbourhood {
	t.Helper()
	account, scratch := newSharedAccount(t)
	return neighbourhood{account, scratch("dev", baseline, manager), scratch("staging", small, adopting(t))}
}

// newSharedAccount is an account, and what makes stacks in it.
func newSharedAccount(t *testing.T) (*rehearsal.Account, func(stack string, fields ...map[string]string) *engine.Scratch) {
	t.Helper()
	account, err := rehearsal.Open("", rehearsal.WithAccountID(sharedAccount))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	server, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return account, func(stack string, fields ...map[string]string) *engine.Scratch {
		s, err := engine.NewScratch(t.Context(), engine.ScratchOptions{
			Project: "../..", Stack: stack, Program: blueprint.DefenseInDepth.Program, Folders: blueprint.DefenseInDepth.Folders,
			Env: environment(server.Port()),
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		for _, f := range fields {
			set(t, s, f)
		}
		return s
	}
}

// of are the account's resources of a stack, as they are.
func (n neighbourhood) of(stack string) []rehearsal.Resource {
	var out []rehearsal.Resource
	for _, r := range n.account.Resources() {
		if strings.HasPrefix(r.URN, "urn:pulumi:"+stack+"::") {
			out = append(out, r)
		}
	}
	return out
}

// managing are the settings with which the second stack would make what the
// first one does, and those that take it back.
func (n neighbourhood) managing(t *testing.T) (manage, adopt map[string]string) {
	t.Helper()
	manage, adopt = map[string]string{"alerting.accountEvents": "true"}, map[string]string{"alerting.accountEvents": "false"}
	documented := adopting(t)
	for _, one := range contested {
		if one.field == config.SearchRole {
			continue
		}
		manage[one.field+".mode"], manage[one.field+".id"] = "manage", ""
		adopt[one.field+".mode"], adopt[one.field+".id"] = documented[one.field+".mode"], documented[one.field+".id"]
	}
	for field, value := range baseline {
		if strings.HasPrefix(field, "contacts.") {
			manage[field] = value
		}
	}
	return manage, adopt
}

// contest creates what the first stack has made once more, as a stack would
// that knows nothing of claims, and wants AWS's answer.
func (n neighbourhood) contest(t *testing.T, token, code string) {
	t.Helper()
	for _, r := range n.of("dev") {
		if r.Type != token {
			continue
		}
		provider := n.account.Provider()
		_, err := provider.Configure(t.Context(), plugin.ConfigureRequest{Inputs: resource.PropertyMap{"region": resource.NewProperty("eu-central-1")}})
		require.NoError(t, err)
		create := func(urn string, name string) error {
			in := r.Inputs.Copy()
			for _, property := range []resource.PropertyKey{"name", "analyzerName"} {
				if _, named := in[property]; named && code != "" {
					in[property] = resource.NewProperty(name)
				}
			}
			_, err := provider.Create(t.Context(), plugin.CreateRequest{URN: resource.URN(urn), Type: tokens.Type(token), Properties: in})
			return err
		}
		overwritten := len(n.account.Overwritten())
		err = create("urn:pulumi:staging::redoubt::"+token+"::neighbour", "redoubt-staging")
		if code != "" {
			require.Equal(t, []string{code}, rehearsal.Codes(err), "%v", err)
			return
		}
		require.NoError(t, err)
		require.NoError(t, create(r.URN, ""), "the first takes it back")
		require.Len(t, n.account.Overwritten(), overwritten+2)
		return
	}
	require.Fail(t, "dev makes no "+token)
}

func previewed(t *testing.T, s *engine.Scratch) engine.Outcome {
	t.Helper()
	out, err := s.Preview(t.Context(), &engine.Recorder{})
	require.NoError(t, err)
	return out
}

func requireUnchanged(t *testing.T, s *engine.Scratch) {
	t.Helper()
	require.Empty(t, unchanged(previewed(t, s)))
}

// Two stacks of one account and region, each with the names of its environment:
// one manages what the account has one of, the other adopts it as the page
// says. Neither sees the other in anything that it does.
func TestTwoStacksOfOneAccount(t *testing.T) {
	t.Parallel()
	n := newNeighbourhood(t)
	ctx := t.Context()
	step := func(name string, do func(*testing.T)) {
		t.Helper()
		require.True(t, t.Run(name, do), "the next steps build on it")
	}
	step("adopting what is not there is refused", func(t *testing.T) {
		_, err := n.second.Preview(ctx, &engine.Recorder{})
		require.ErrorContains(t, err, "look up the region's detector")
		require.ErrorContains(t, err, "switch GuardDuty on, or use mode manage")
	})
	step("both come up", func(t *testing.T) {
		_, err := n.first.Up(ctx, &engine.Recorder{})
		require.NoError(t, err)
		_, err = n.second.Up(ctx, &engine.Recorder{})
		require.NoError(t, err)
		require.Empty(t, n.account.Overwritten(), "one wrote over the other, and AWS would have said nothing")
		require.NotEmpty(t, n.of("dev"))
		for _, r := range n.of("staging") {
			require.False(t, strings.HasPrefix(r.ID, "/redoubt/account/"), "staging claims %s", r.ID)
		}
		requireUnchanged(t, n.first)
		requireUnchanged(t, n.second)
	})
	step("a change of one leaves the other alone", func(t *testing.T) {
		before := n.of("staging")
		set(t, n.first, map[string]string{"edge.rateLimit": "1500", "detection.features[0]": "RDS_LOGIN_EVENTS"})
		out, err := n.first.Up(ctx, &engine.Recorder{})
		require.NoError(t, err)
		require.Positive(t, out.Changed())
		require.Equal(t, before, n.of("staging"))
		requireUnchanged(t, n.second)

		before = n.of("dev")
		set(t, n.second, map[string]string{"edge.rateLimit": "1000"})
		out, err = n.second.Up(ctx, &engine.Recorder{})
		require.NoError(t, err)
		require.Positive(t, out.Changed())
		require.Equal(t, before, n.of("dev"))
	})
	step("a refresh of one sees nothing of the other", func(t *testing.T) {
		for _, s := range []*engine.Scratch{n.first, n.second} {
			out, err := s.Refresh(ctx, &engine.Recorder{})
			require.NoError(t, err)
			require.Empty(t, unchanged(out))
		}
	})
	step("managing the same is refused at preview", func(t *testing.T) {
		manage, adopt := n.managing(t)
		set(t, n.second, manage)
		_, err := n.second.Preview(ctx, &engine.Recorder{})
		set(t, n.second, adopt)
		require.Error(t, err)
		for _, one := range contested {
			if one.field != config.SearchRole {
				require.ErrorContains(t, err, "redoubt:"+one.field+": stack redoubt-dev makes it for the whole account already")
			}
		}
		require.ErrorContains(t, err, "redoubt:alerting.accountEvents: stack redoubt-dev makes it")
		requireUnchanged(t, n.second)
	})
	step("and by AWS, or overwritten in silence", func(t *testing.T) {
		for _, one := range contested {
			n.contest(t, one.token, one.code)
		}
		requireUnchanged(t, n.first)
	})
	step("the adopting stack goes alone", func(t *testing.T) {
		before := n.of("dev")
		out, err := n.second.Destroy(ctx, &engine.Recorder{})
		require.NoError(t, err)
		requireLeft(t, n.of("staging"), out)
		require.Equal(t, before, n.of("dev"), "it took something with it")
		requireUnchanged(t, n.first)
	})
	step("the managing stack empties the account", func(t *testing.T) {
		out, err := n.first.Destroy(ctx, &engine.Recorder{})
		require.NoError(t, err)
		requireLeft(t, n.of("dev"), out, "aws:account/alternativeContact:AlternativeContact", "aws:iam/serviceLinkedRole:ServiceLinkedRole")
	})
	step("and may come again", func(t *testing.T) {
		for _, change := range previewed(t, n.first).Changes {
			require.NotEqual(t, "aws:iam/serviceLinkedRole:ServiceLinkedRole", change.Type, "the account has kept the role, and IAM refuses a second")
		}
	})
}

// requireLeft wants resources of these types left, which the program retains on
// purpose, and none else.
func requireLeft(t *testing.T, left []rehearsal.Resource, out engine.Outcome, types ...string) {
	t.Helper()
	retained := map[string]bool{}
	for _, c := range out.Changes {
		retained[c.URN] = c.Retained
	}
	found := map[string]bool{}
	for _, r := range left {
		require.True(t, retained[r.URN], "%s is left", r.URN)
		found[r.Type] = true
	}
	require.Equal(t, types, slices.Sorted(maps.Keys(found)))
}

// The account's stack makes what the account has one of, and each workload's
// stack needs to be told nothing but its layer.
func TestAnAccountsStackAndItsWorkloads(t *testing.T) {
	t.Parallel()
	account, scratch := newSharedAccount(t)
	here, workload := map[string]string{"accountId": sharedAccount}, map[string]string{"layer": "workload"}
	first, dev := scratch("account", here), scratch("dev", workload)
	for _, s := range []*engine.Scratch{first, dev} {
		_, err := s.Up(t.Context(), &engine.Recorder{})
		require.NoError(t, err)
	}
	require.Empty(t, account.Overwritten())
	requireUnchanged(t, first)
	requireUnchanged(t, dev)
	// Its break-glass role is watched in the account's trail.
	staging := previewed(t, scratch("staging", workload, map[string]string{
		"audit.trail.mode": "adopt", "audit.trail.id": "redoubt-account-trail", "audit.trailLogGroup": "/redoubt-account/trail",
	}))
	require.Positive(t, staging.Changed())
	for _, change := range staging.Changes {
		require.NotContains(t, change.URN, "-claims-", "staging claims what the account's stack makes")
	}
	_, err := dev.Destroy(t.Context(), &engine.Recorder{})
	require.NoError(t, err)
	requireUnchanged(t, first)
}
