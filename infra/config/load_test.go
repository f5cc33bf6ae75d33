package config_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/config"
)

// source is a stack's configuration as Pulumi hands it over.
type source map[string]string

func (s source) GetConfig(key string) (string, bool) {
	v, ok := s[key]
	return v, ok
}

func (s source) load() (config.Config, error) {
	return config.Load(s, slices.Collect(maps.Keys(s)))
}

// with returns a valid dev configuration, changed.
func with(changes source) source {
	s := source{
		"aws:region":          "eu-central-1",
		"redoubt:environment": "dev",
		"redoubt:domain":      `{"name":"app.example.org","zoneId":"Z0123456789ABCDEFGHIJ"}`,
		"redoubt:compute":     `{"image":"public.ecr.aws/docker/library/nginx:1.29"}`,
	}
	maps.Copy(s, changes)
	return s
}

// prod returns a valid prod configuration, changed.
func prod(changes source) source {
	s := with(source{
		"redoubt:environment":   "prod",
		"redoubt:accountId":     "123456789012",
		"redoubt:replicaRegion": "eu-west-1",
		"redoubt:compute":       `{"image":"repo@sha256:` + digest + `"}`,
		"redoubt:response":      `{"approvers":["arn:aws:iam::123456789012:role/security-oncall"]}`,
	})
	maps.Copy(s, changes)
	return s
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestLoadKeepsDefaultsThatAreNotSet(t *testing.T) {
	t.Parallel()
	c, err := with(source{"redoubt:network": `{"cidr":"10.99.0.0/18"}`, "redoubt:keys": `{"multiRegion":false}`}).load()
	require.NoError(t, err)
	require.Equal(t, "10.99.0.0/18", c.Network.CIDR)
	require.Equal(t, "single", c.Network.NAT, "unset fields keep the environment's default")
	require.False(t, c.Keys.MultiRegion, "false is not the same as unset")
	require.Equal(t, 30, c.Keys.DeletionWindowDays)
	require.Equal(t, "redoubt-dev", c.Prefix())
}

func TestDefaultsOfEveryEnvironmentAreValid(t *testing.T) {
	t.Parallel()
	for _, env := range config.Environments {
		_, err := prod(source{"redoubt:environment": string(env)}).load()
		require.NoError(t, err, env)
	}
}

func TestDefaultsAreNotShared(t *testing.T) {
	t.Parallel()
	a := config.Defaults(config.Dev)
	a.Network.AvailabilityZones[0] = "z"
	require.Equal(t, "a", config.Defaults(config.Dev).Network.AvailabilityZones[0])
}

// Each row is a mistake that people make, and the message that they must get.
func TestFindingsNameFieldReasonAndFix(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		in   source
		want string
	}{
		"unknown key":             {with(source{"redoubt:netwrok": `{}`}), `redoubt:netwrok: there is no such key (did you mean "network"?)`},
		"unknown field":           {with(source{"redoubt:network": `{"cdir":"10.0.0.0/16"}`}), `redoubt:network.cdir: there is no such field (did you mean "cidr"?)`},
		"wrong type":              {with(source{"redoubt:database": `{"instances":"two"}`}), `redoubt:database.instances: "two" is not a whole number (write a whole number)`},
		"not an object":           {with(source{"redoubt:network": `[1]`}), `redoubt:network: [1] is not an object (write a map of fields)`},
		"bad CIDR":                {with(source{"redoubt:network": `{"cidr":"10.0.0.0"}`}), `redoubt:network.cidr: "10.0.0.0" is not an IPv4 CIDR block (for example 10.20.0.0/16)`},
		"host bits":               {with(source{"redoubt:network": `{"cidr":"10.0.1.1/16"}`}), `redoubt:network.cidr: 10.0.1.1/16 has host bits set (write 10.0.0.0/16)`},
		"CIDR too small":          {with(source{"redoubt:network": `{"cidr":"10.0.0.0/28"}`}), `redoubt:network.cidr: /28 is out of range (/16 to /22)`},
		"one zone":                {with(source{"redoubt:network": `{"availabilityZones":["a"]}`}), `redoubt:network.availabilityZones: 1 zones (two to four letters, for example [a, b])`},
		"zone twice":              {with(source{"redoubt:network": `{"availabilityZones":["a","a"]}`}), `redoubt:network.availabilityZones[1]: "a" is not a zone letter, or stands twice (distinct letters of the region's zones)`},
		"no NAT, no endpoints":    {with(source{"redoubt:network": `{"nat":"none","egressInternet":false}`}), `redoubt:network.endpoints: without NAT the tasks reach AWS only through endpoints (all, or nat: single)`},
		"no way to Firehose":      {with(source{"redoubt:network": `{"egressInternet":false}`, "redoubt:search": `{"ingest":true}`}), `redoubt:network.endpoints: search.ingest needs a function to reach Firehose`},
		"same replica region":     {with(source{"redoubt:replicaRegion": "eu-central-1"}), `redoubt:replicaRegion: eu-central-1 is aws:region itself: a copy there survives nothing (name another region)`},
		"replica in China":        {with(source{"redoubt:replicaRegion": "cn-north-1"}), `redoubt:replicaRegion: eu-central-1 and cn-north-1 are in different partitions (name a region of partition aws)`},
		"replication to nowhere":  {prod(source{"redoubt:replicaRegion": "", "redoubt:backup": `{"copyToReplica":false}`}), `redoubt:replicaRegion: storage.replication has nowhere to copy to (name another region)`},
		"unknown environment":     {with(source{"redoubt:environment": "qa"}), `redoubt:environment: "qa" is not a choice (one of dev, staging, prod)`},
		"TLS policy":              {with(source{"redoubt:edge": `{"tlsPolicy":"tls12"}`}), `redoubt:edge.tlsPolicy: "tls12" is not a choice (one of tls13-only, tls13-preferred, pq, fips)`},
		"no certificate":          {with(source{"redoubt:domain": `{"name":"app.example.org"}`}), `redoubt:domain: exactly one of zoneId and certificateArn is needed (zoneId to have a certificate made, certificateArn to bring one)`},
		"certificate elsewhere":   {with(source{"redoubt:domain": `{"name":"app.example.org","certificateArn":"arn:aws:acm:us-east-1:123456789012:certificate/0a"}`}), `redoubt:domain.certificateArn: the certificate is in us-east-1, the load balancer in eu-central-1 (request one in eu-central-1)`},
		"account id":              {with(source{"redoubt:accountId": "12345"}), `redoubt:accountId: "12345" is not an account id (12 digits, quoted)`},
		"org id":                  {with(source{"redoubt:orgId": "acme"}), `redoubt:orgId: "acme" is not an organization id (o- and 10 to 32 letters or digits, or leave it empty)`},
		"no region":               {with(source{"aws:region": ""}), `aws:region: "" is not a region (for example eu-central-1)`},
		"backup days":             {with(source{"redoubt:database": `{"backupDays":0}`}), `redoubt:database.backupDays: 0 is out of range (1 to 35)`},
		"capacity":                {with(source{"redoubt:database": `{"minAcu":4,"maxAcu":2}`}), `redoubt:database.minAcu: 4 is more than maxAcu 2 (minAcu ≤ maxAcu)`},
		"secrets too young":       {with(source{"redoubt:secrets": `{"rotationDays":90}`}), `redoubt:secrets.maxAgeDays: secrets that rotate get 90 days old: each would raise the alarm (more than 90)`},
		"retention":               {with(source{"redoubt:logs": `{"flowDays":8}`}), `redoubt:logs.flowDays: CloudWatch Logs does not offer 8 days`},
		"reserved tag":            {with(source{"redoubt:tags": `{"aws:x":"y"}`}), `redoubt:tags.aws:x: the prefix aws: is reserved (another key)`},
		"name too long":           {with(source{"redoubt:name": "a-very-long-name-indeed"}), `redoubt:name: "a-very-long-name-indeed" does not fit into AWS names`},
		"prod with a tag":         {prod(source{"redoubt:compute": `{"image":"app:latest"}`}), `redoubt:compute.image: a tag can be moved under a running service`},
		"prod without account":    {prod(source{"redoubt:accountId": ""}), `redoubt:accountId: prod must name its account, so that it cannot be applied to another (12 digits, quoted)`},
		"prod exec":               {prod(source{"redoubt:compute": `{"exec":true,"image":"repo@sha256:` + digest + `"}`}), `redoubt:compute.exec: a shell in production tasks (false)`},
		"prod force destroy":      {prod(source{"redoubt:storage": `{"forceDestroy":true}`}), `redoubt:storage.forceDestroy: a destroy would delete every object (false)`},
		"unknown field in a list": {with(source{"redoubt:alerting": `{"channels":[{"name":"a","levels":["high"],"emial":"x@y.org","email":"x@y.org"}]}`}), `redoubt:alerting.channels[0].emial: there is no such field (did you mean "email"?)`},
		"singleton's mode":        {with(source{"redoubt:audit": `{"trail":{"mode":"own"}}`}), `redoubt:audit.trail: mode "own" is not a choice (one of manage, adopt, off)`},
		"data of another's trail": {with(source{"redoubt:audit": `{"trail":{"mode":"adopt","id":"acme"},"dataEvents":true}`}), `redoubt:audit.dataEvents: the trail is another stack's, or there is none: nothing would be recorded`},
		"alerts without a trail":  {with(source{"redoubt:audit": `{"trail":{"mode":"off"}}`}), `redoubt:alerting.accountEvents: without a trail there are no events of calls to alert on`},
		"unheard":                 {with(source{"redoubt:alerting": `{"archiveDays":0,"channels":[{"name":"a","levels":["high","medium"],"email":"x@y.org"}]}`}), `redoubt:alerting.channels: nobody hears alerts of level low`},
		"placeholder in prod":     {prod(source{"redoubt:alerting": `{"channels":[{"name":"a","levels":["high"],"email":"security@example.com"}]}`}), `redoubt:alerting.channels[0].email: security@example.com is the guide's placeholder`},
		"nobody decides":          {prod(source{"redoubt:response": `{}`}), `redoubt:response.approvers: mode approve needs people who decide`},
		"a layer":                 {with(source{"redoubt:layer": "network"}), `redoubt:layer: "network" is not a choice (one of all, org, account, workload)`},
		"a workload's part in an account's stack": {with(source{"redoubt:layer": "account", "redoubt:audit": `{"dataEvents":true}`}), `redoubt:audit.dataEvents: a stack of layer account has no workload (set it in the stack of layer workload)`},
		"an organization in a workload":           {with(source{"redoubt:layer": "workload", "redoubt:orgId": "o-a1b2c3d4e5", "redoubt:identity": `{"organization":{"rootAccess":{"mode":"off"}}}`}), `redoubt:identity.organization: a stack of layer workload makes no policies of an organization (layer: org, in the management account)`},
		"an org layer without one":                {with(source{"redoubt:layer": "org"}), `redoubt:identity.organization: a stack of layer org makes the organization's policies, and there are none`},
		"everybody past CloudFront":               {with(source{"redoubt:edge": `{"cloudFront":true}`}), `redoubt:edge.allowedCidrs: 0.0.0.0/0 lets everybody past CloudFront ([] for CloudFront alone, or cloudFront: false)`},
		"nobody allowed":                          {with(source{"redoubt:edge": `{"allowedCidrs":[]}`}), `redoubt:edge.allowedCidrs: nobody could reach the load balancer`},
		"a login limit without a path":            {with(source{"redoubt:edge": `{"loginRateLimit":100}`}), `redoubt:edge.loginRateLimit: a limit needs the path that it holds for`},
		"takeover without a path":                 {with(source{"redoubt:edge": `{"accountTakeover":{"usernameField":"u","passwordField":"p"}}`}), `redoubt:edge.accountTakeover: it looks at sign-ins, and loginPath is empty`},
		"a lock for ever":                         {prod(source{"redoubt:backup": `{"lock":"compliance","changeableForDays":3}`}), `redoubt:backup.acknowledgeCompliance: nobody, AWS included, takes a compliance lock off`},
		"no time to think again":                  {prod(source{"redoubt:backup": `{"lock":"compliance","acknowledgeCompliance":"nobody-can-remove-this-lock"}`}), `redoubt:backup.changeableForDays: 0 days to think again (3 to 36500)`},
		"a lock for ever by mistake":              {prod(source{"redoubt:backup": `{"changeableForDays":3}`}), `redoubt:backup.changeableForDays: AWS makes a compliance lock of it, for ever`},
		"too short in cold storage":               {prod(source{"redoubt:backup": `{"coldAfterDays":300}`}), `redoubt:backup.coldAfterDays: 300: monthly backups are kept for 365 days, the last 90 of them in cold storage at least (1 to 275, or 0 for never)`},
		"audit objects for ever":                  {prod(source{"redoubt:storage": `{"auditLock":"compliance"}`}), `redoubt:storage.acknowledgeCompliance: nobody, AWS included, could delete an object of the audit bucket for 365 days`},
		"locked and destroyed":                    {with(source{"redoubt:storage": `{"auditLockDays":7}`}), `redoubt:storage.forceDestroy: locked objects cannot be destroyed`},
		"a function that is not there":            {with(source{"redoubt:functions": `{"reserved":{"rotate-db-usr":1}}`}), `redoubt:functions.reserved.rotate-db-usr: there is no such function (did you mean "rotate-db-user"?)`},
		"a stopped function":                      {with(source{"redoubt:functions": `{"reserved":{"rotate-db-user":0}}`}), `redoubt:functions.reserved.rotate-db-user: 0 would stop the function`},
		"a new account's concurrency":             {prod(source{"redoubt:functions": `{"accountConcurrency":10}`}), `in all, of a quota of 10 of which 100 stay unreserved`},
		"a break-glass role that nobody sees":     {with(source{"redoubt:layer": "workload", "redoubt:identity": `{"breakGlass":["arn:aws:iam::123456789012:role/a"]}`}), `redoubt:identity.breakGlass: nobody would hear of the role's use`},
		"a subscription in an account's stack":    {with(source{"redoubt:layer": "account", "redoubt:edge": `{"shield":{"subscription":{"mode":"manage"}}}`}), `redoubt:edge.shield.acknowledgeAnnualCommitment: a subscription costs USD 3,000 a month`},
		"a forge":                                 {with(source{"redoubt:identity": `{"deployRole":{"forge":"gitea","provider":{"mode":"manage"},"subjects":["x"]}}`}), `redoubt:identity.deployRole.forge: "gitea" is not a choice (one of github, gitlab)`},
		"a pipeline's subjects":                   {with(source{"redoubt:identity": `{"deployRole":{"forge":"github","provider":{"mode":"manage"}}}`}), `redoubt:identity.deployRole.subjects: nobody could assume the role`},
		"a signing epoch":                         {with(source{"redoubt:identity": `{"tokenSigner":{"epochs":["2026-q1"],"signing":"2026-q2"}}`}), `redoubt:identity.tokenSigner.signing: "2026-q2" is not one of the epochs`},
		"game day in prod":                        {prod(source{"redoubt:response": `{"gameDay":true,"approvers":["arn:aws:iam::123456789012:role/a"]}`}), `redoubt:response.gameDay: sample findings in prod would page people`},
		"not a principal":                         {with(source{"redoubt:identity": `{"auditors":["alice"]}`}), `redoubt:identity.auditors[0]: "alice" is not a principal of IAM`},
		"callback over HTTP":                      {with(source{"redoubt:identity": `{"callbackUrls":["http://app.example.org/cb"]}`}), `redoubt:identity.callbackUrls[0]: "http://app.example.org/cb" is not HTTPS`},
		"auto without a list":                     {with(source{"redoubt:response": `{"mode":"auto","approvers":["arn:aws:iam::123456789012:role/a"]}`}), `redoubt:response.autoContain: what is contained without asking goes with mode auto`},
		"lock out of range":                       {prod(source{"redoubt:backup": `{"minDays":60}`}), `redoubt:backup.minDays: the plan keeps 35 to 365 days, the lock allows 60 to 400`},
		"organization without":                    {with(source{"redoubt:identity": `{"organization":{"rootAccess":{"mode":"off"}}}`}), `redoubt:identity.organization: orgId is empty`},
		"Shield by accident":                      {prod(source{"redoubt:edge": `{"shield":{"subscription":{"mode":"manage"}}}`}), `redoubt:edge.shield.acknowledgeAnnualCommitment: a subscription costs USD 3,000 a month`},
		"protect what is not":                     {prod(source{"redoubt:edge": `{"shieldProtect":true}`}), `redoubt:edge.shieldProtect: the account has no subscription to Shield Advanced`},
		"DNS mode":                                {prod(source{"redoubt:network": `{"dns":{"mode":"off"}}`}), `redoubt:network.dns.mode: "off" is not a choice (one of block, alert)`},
		"standby in two zones":                    {prod(source{"redoubt:network": `{"availabilityZones":["a","b"]}`}), `redoubt:search.standby: standby needs three zones, three data nodes and dedicated masters (standby: false, or provide them)`},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := row.in.load()
			require.ErrorContains(t, err, row.want)
			require.Len(t, err.(config.Findings), 1, "one mistake, one finding: %v", err)
		})
	}
}

func TestAllFindingsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := with(source{
		"redoubt:network":       `{"cidr":"10.0.0.0/30","nat":"some","colour":"red"}`,
		"redoubt:replicaRegion": "eu-central-1",
		"redoubt:logs":          `{"flowDays":8}`,
	}).load()
	found := err.(config.Findings)
	fields := make([]string, 0, len(found))
	for _, f := range found {
		fields = append(fields, f.Field)
	}
	require.Equal(t, []string{
		"redoubt:logs.flowDays", "redoubt:network.cidr", "redoubt:network.colour", "redoubt:network.nat", "redoubt:replicaRegion",
	}, fields)
}

// The decoder meets whatever people write: it must answer with findings, never panic.
func FuzzLoad(f *testing.F) {
	f.Add("redoubt:network", `{"cidr":"10.0.0.0/16","availabilityZones":["a","b"]}`)
	f.Add("redoubt:tags", `{"a":1}`)
	f.Add("redoubt:environment", `prod`)
	f.Fuzz(func(t *testing.T, key, value string) {
		_, err := with(source{key: value}).load()
		if err != nil {
			require.IsType(t, config.Findings{}, err)
		}
	})
}

// A stack of one layer leaves alone what the other's does: its defaults are
// valid, and between them nothing is done twice.
func TestLayersShareTheWork(t *testing.T) {
	t.Parallel()
	for _, env := range config.Environments {
		account, err := source{
			"aws:region": "eu-central-1", "redoubt:environment": string(env), "redoubt:layer": "account", "redoubt:accountId": "123456789012",
		}.load()
		require.NoError(t, err, env)
		workload, err := prod(source{"redoubt:environment": string(env), "redoubt:layer": "workload"}).load()
		require.NoError(t, err, env)
		require.Equal(t, "redoubt-account", account.Prefix())
		require.Equal(t, "redoubt-"+string(env), workload.Prefix())
		for _, twice := range []struct {
			field            string
			account, another bool
		}{
			{"trail", account.Audit.Trail.Managed(), workload.Audit.Trail.Managed()},
			{"detector", account.Detection.GuardDuty.Managed(), workload.Detection.GuardDuty.Managed()},
			{"recorder", account.Detection.Config.Managed(), workload.Detection.Config.Managed()},
			{"events", account.Alerting.AccountEvents, workload.Alerting.AccountEvents},
			{"role of search domains", account.Search.CreateServiceLinkedRole, workload.Search.CreateServiceLinkedRole},
			{"logs of the API", account.API.Account.Managed(), workload.API.Account.Managed()},
		} {
			require.False(t, twice.account && twice.another, "%s: both make the %s", env, twice.field)
		}
		require.True(t, account.Alerting.AccountEvents)
	}
}
