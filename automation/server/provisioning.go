package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	orderapi "redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/cedar"
	"redoubt/automation/engine"
	"redoubt/automation/identity"
	"redoubt/automation/oidc"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
	"redoubt/automation/river"
	"redoubt/automation/session"
	"redoubt/automation/sql"
	"redoubt/automation/webhook"
	"redoubt/automation/worker"
)

// The roles of a process.
const (
	roleAll    = "all"
	roleAPI    = "api"
	roleWorker = "worker"
	roleNone   = "none"
)

const (
	authorizedByGrants = "grants"
	authorizedByCedar  = "cedar"
)

// How often what nobody asks for is looked for, on average.
const (
	tickEvery       = 15 * time.Second
	checkpointEvery = time.Minute
	outboxEvery     = time.Second
)

// provisioning is self-service in this process. All its methods do nothing on nil,
// a server that keeps states alone.
type provisioning struct {
	server   *Server
	records  provision.Store
	policies *cedar.Authorizer
	// cli and pack are what operations run with, found once.
	cli      engine.CLI
	pack     string
	queue    *river.Dispatcher
	engine   *operate.Engine
	service  *provision.Service
	sessions *session.Manager
	issuer   *oidc.Provider
	outbox   *webhook.Outbox
	disk     *disk
	// witnesses keep the checkpoints of the audit log.
	witnesses []witness
	// draining is closed when the process stops.
	draining chan struct{}
	drain    sync.Once
}

// newProvisioning opens what the backend's service asks; nil where this process
// keeps states alone.
func (s *Server) newProvisioning() (*provisioning, error) {
	if s.catalog == nil || s.config.Provisioning.Role == roleNone {
		return nil, nil
	}
	cli, pack, err := s.able()
	if err != nil {
		if s.config.Provisioning.Role != "" {
			return nil, err
		}
		s.log.Warn("no self-service: this process keeps states alone", "why", err)
		return nil, nil
	}
	records, ok := sql.Provisioning(s.store)
	if !ok {
		return nil, errors.New("this database keeps no orders")
	}
	policies, err := cedar.New(cedar.Options{Folder: s.config.Identity.Policies, WithoutSecondFactor: s.config.Identity.Issuer == ""})
	if err != nil {
		return nil, fmt.Errorf("identity.policies: %w", err)
	}
	disk := newDisk(s.config, s.log)
	disk.watch(s.metrics.registry)
	return &provisioning{
		disk:   disk,
		server: s, records: &observedRecords{records, s.metrics}, policies: policies, cli: cli, pack: pack, draining: make(chan struct{}),
	}, nil
}

// authorize is what the backend asks after a token's grants.
func (p *provisioning) authorize(config Config) backend.Authorize {
	if p == nil || config.Identity.Authorization != authorizedByCedar {
		return nil
	}
	return p.policies.Backend(p.records, identity.OfToken)
}

// open opens the rest. The signing key is the installation's.
func (p *provisioning) open(ctx context.Context, signing []byte) (err error) {
	s, c := p.server, p.server.config
	address, err := databaseAddress(c)
	if err != nil {
		return err
	}
	works := c.Provisioning.Role != roleAPI
	slots := 0
	if works {
		slots = worker.Slots(c.Provisioning.Slots)
		s.metrics.works(slots)
	}
	if p.queue, err = river.Open(ctx, address, river.Options{Slots: slots, Log: s.log}); err != nil {
		return err
	}
	if works {
		// Those that died with the process before this one hold credentials, and the
		// next order may be long in coming.
		engine.RemoveAbandoned()
		if c.Provisioning.Account == operate.Rehearsal && c.Database.URL != "" {
			if err := s.ownRehearsal(ctx, p.records); err != nil {
				return err
			}
		}
		if p.engine, err = p.openEngine(ctx); err != nil {
			return err
		}
	}
	p.service = provision.New(p.records, s.service, s.catalog, p.policies, p.queue, provision.Options{
		Key: signing, Rehearse: c.Provisioning.Rehearse, Queues: p.queue, Policies: p.policyNames(), Intake: p.disk.check, Log: s.log,
		KeepEvents: c.Retention.Events, KeepDeliveries: c.Retention.Deliveries, KeepReplies: c.Retention.Requests, KeepSecrets: c.Retention.Secrets,
	})
	if c.Database.URL == "" {
		// SQLite's folder is locked: this is the only process there is.
		if err := p.service.Abandon(ctx); err != nil {
			return err
		}
	}
	if p.sessions, err = session.New(p.records, session.Options{Plain: !strings.HasPrefix(s.URL(), "https://"), Origins: origins(c)}); err != nil {
		return err
	}
	if c.Identity.Issuer != "" {
		if p.issuer, err = oidc.New(c.Identity.provider()); err != nil {
			return err
		}
	}
	if c.Audit.File != "" {
		p.witnesses = append(p.witnesses, fileWitness{c.Audit.File})
	}
	if c.Audit.Bucket != "" {
		bucket, err := openBucket(ctx, c.Audit.Bucket, c.Audit.Retention)
		if err != nil {
			return fmt.Errorf("audit.bucket: %w", err)
		}
		p.witnesses = append(p.witnesses, bucketWitness{p.records, bucket})
	}
	p.outbox = &webhook.Outbox{
		Store: p.records, Secrets: p.service, Sender: webhook.NewSender(s.version, c.Provisioning.Webhooks), Log: s.log, Delivered: s.metrics.delivered,
	}
	if s.tracing != nil {
		p.outbox.Tracer = s.tracing.Tracer("webhook")
	}
	return nil
}

// able finds what operations run with, if this process's role is to run some:
// without the CLI, or the policy pack, each would fail.
func (s *Server) able() (cli engine.CLI, pack string, err error) {
	pack = s.config.Provisioning.PolicyPack
	if pack == "" {
		pack, err = engine.Sibling("redoubt-policy")
	}
	if s.config.Provisioning.Role == roleAPI {
		return cli, pack, nil // without a pack it does not know the policies' names
	}
	if err != nil {
		return cli, "", err
	}
	cli, err = engine.FindCLI()
	return cli, pack, err
}

// policyNames asks the pack for its policies; nil where there is none to ask.
func (p *provisioning) policyNames() func(context.Context) ([]string, error) {
	if p.pack == "" || p.pack == operate.NoPolicy {
		return nil
	}
	return (&operate.Policies{Pack: p.pack}).Names
}

// openEngine opens what runs operations.
func (p *provisioning) openEngine(ctx context.Context) (*operate.Engine, error) {
	s := p.server
	c := s.config.Provisioning
	url := c.URL
	if url == "" {
		url = s.URL()
	}
	roles, err := c.openRoles(ctx)
	if err != nil {
		return nil, err
	}
	return operate.Open(operate.Options{
		URL: url, CLI: p.cli, Policy: p.pack, PolicyConfig: c.PolicyConfig, Account: c.Account, Roles: roles, Data: s.config.Data,
		Shared:  s.config.Database.URL != "",
		Plugins: c.Plugins, Acquire: c.Acquire, Spare: c.Spare, Traces: s.tracing.CLI(), Forked: s.metrics.forked, Log: s.log,
	})
}

func origins(c Config) []string {
	if c.PublicURL == "" {
		return nil
	}
	return []string{strings.TrimSuffix(c.PublicURL, "/")}
}

// provider is the configuration of the identity provider.
func (i Identity) provider() oidc.Config {
	return oidc.Config{
		Issuer: i.Issuer, ClientID: i.ClientID, ClientSecretFile: i.ClientSecretFile, LoginClientID: i.LoginClientID,
		Audiences: i.Audiences, NameClaim: i.NameClaim, GroupsClaim: i.GroupsClaim, MFAMethods: i.MFAMethods, MFAContexts: i.MFAContexts,
	}
}

// handlers are those of the API, below /v1/, and of browsers, below /auth/.
func (p *provisioning) handlers(address func(*http.Request) string) (orders, browsers http.Handler) {
	s := p.server
	who := identity.New(identity.Options{Backend: s.service, OIDC: p.issuer, Sessions: p.sessions, Address: address})
	orders = orderapi.New(p.service, orderapi.Options{
		Identify: who.Identify, Address: address, Log: s.log, Metrics: s.metrics, Tracing: s.tracing.Spans(), Version: s.version, Draining: p.draining,
		Rate: s.config.Limits.Rate, Burst: s.config.Limits.Burst,
	})
	return orders, identity.Browser{Identifier: who, Public: s.URL()}.Handler()
}

// run runs operations until stop is called, which waits for those that run.
func (p *provisioning) run(ctx context.Context) (stop func() error) {
	if p == nil {
		return func() error { return nil }
	}
	end := func() { p.drain.Do(func() { close(p.draining) }) }
	if p.engine == nil {
		return func() error { end(); return nil }
	}
	s := p.server
	w := worker.New(p.service, p.engine, p.queue, worker.Options{
		Slots: s.config.Provisioning.Slots, Grace: s.config.Provisioning.Shutdown, Lease: s.config.Provisioning.Lease, Ready: p.disk.check,
		Metrics: workMetrics{s.metrics}, Tracer: s.tracing.Tracer("worker"), Log: s.log,
	})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	s.log.Info("running orders", "node", w.Node(), "account", s.config.Provisioning.Account, "slots", worker.Slots(s.config.Provisioning.Slots))
	return func() error {
		end()
		cancel()
		return <-ended
	}
}

// background does what nobody asks for. Any number of nodes may do so on one
// database.
func (p *provisioning) background(ctx context.Context, all *sync.WaitGroup) {
	if p == nil {
		return
	}
	for job, does := range map[string]struct {
		every time.Duration
		do    func(context.Context) error
	}{
		"schedules":   {tickEvery, func(ctx context.Context) error { _, err := p.service.Tick(ctx); return err }},
		"checkpoints": {checkpointEvery, p.checkpoint},
		"webhooks":    {outboxEvery, p.deliver},
		"prune":       {pruneEvery, p.prune},
	} {
		all.Go(func() {
			repeat(ctx, does.every, func(ctx context.Context) {
				err := does.do(ctx)
				if ctx.Err() != nil {
					return // it goes on after the restart
				}
				p.server.metrics.rounds.WithLabelValues(job, result(err)).Inc()
				if err != nil {
					p.server.log.Error("a round in the background failed; the next one tries again", "job", job, "error", err)
				}
			})
		})
	}
}

// deliver makes rounds until nothing is due.
func (p *provisioning) deliver(ctx context.Context) error {
	for {
		n, err := p.outbox.Round(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// checkpoint signs the end of the audit log, and says so in the log: there it is
// out of reach of who can write the database.
func (p *provisioning) checkpoint(ctx context.Context) error {
	c, err := p.service.CheckpointAudit(ctx, false)
	if err == nil && c != nil {
		p.server.log.Info("checkpoint of the audit log", "sequence", c.Sequence, "hash", fmt.Sprintf("%x", c.Hash), "key", c.KeyID, "signature", fmt.Sprintf("%x", c.Signature))
	}
	failures := []error{err}
	for _, w := range p.witnesses {
		failures = append(failures, p.tell(ctx, w))
	}
	return errors.Join(failures...)
}

// prune deletes what is old.
func (p *provisioning) prune(ctx context.Context) error {
	_, sessions := p.sessions.Prune(ctx)
	return errors.Join(p.service.Prune(ctx), sessions)
}

// close closes what was opened. Nothing runs any more.
func (p *provisioning) close() error {
	p.drain.Do(func() { close(p.draining) })
	var failures []error
	if p.engine != nil {
		failures = append(failures, p.engine.Close())
	}
	if p.queue != nil {
		failures = append(failures, p.queue.Close())
	}
	return errors.Join(failures...)
}

// checkProvisioning finds what is wrong with the settings as such.
func (c Config) checkProvisioning(found report) {
	p, i := c.Provisioning, c.Identity
	oneOf := func(key, value string, of ...string) {
		for _, good := range of {
			if value == good {
				return
			}
		}
		found(key, "%q is none of %s", value, strings.Join(of, ", "))
	}
	oneOf("provisioning.role", p.Role, "", roleAll, roleAPI, roleWorker, roleNone)
	oneOf("provisioning.account", p.Account, operate.Accounts...)
	p.checkAccounts(found)
	oneOf("identity.authorization", i.Authorization, authorizedByGrants, authorizedByCedar)
	if p.Slots < 1 {
		found("provisioning.slots", "%d operations at once: at least 1; a process without a worker has the role %s", p.Slots, roleAPI)
	}
	if p.Lease < provision.ShortestLease || p.Lease > provision.LongestLease {
		found("provisioning.lease", "%s: at least %s, so that a heartbeat may come late, and at most %s, which is how long a stack waits for a worker that died", p.Lease, provision.ShortestLease, provision.LongestLease)
	}
	for key, time := range map[string]time.Duration{"provisioning.shutdown": p.Shutdown, "provisioning.spare": p.Spare} {
		if time < 0 {
			found(key, "%s is no time", time)
		}
	}
	if (p.Role == roleAPI || p.Role == roleWorker) && c.Database.URL == "" {
		found("provisioning.role", "SQLite is of one process, which does all or none: give database.url for more")
	}
	for _, network := range p.Webhooks {
		if network.Bits() == 0 {
			found("provisioning.webhooks", "%s is every address there is, this machine's and the cloud's metadata too", network)
		}
		if network.Overlaps(netip.MustParsePrefix("169.254.169.254/32")) {
			found("provisioning.webhooks", "%s has the cloud's metadata service in it (169.254.169.254)", network)
		}
	}
	if i.Issuer == "" {
		if i.ClientID != "" || i.ClientSecretFile != "" {
			found("identity.issuer", "a client needs the identity provider that it is one of")
		}
		return
	}
	for _, f := range i.provider().Check() {
		found("identity."+strings.TrimPrefix(f.Pointer, "/"), "%s", f.Message)
	}
}
