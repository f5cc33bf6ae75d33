-- +goose Up

-- What package provision keeps. Columns are what is looked up, sorted or unique;
-- the rest is in doc, as JSON. JSON that must come back byte by byte (inputs,
-- payloads, the data of events) has a column of its own.

CREATE TABLE projects (
	id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	org      TEXT COLLATE "C" NOT NULL,
	name     TEXT COLLATE "C" NOT NULL,
	org_key  TEXT COLLATE "C" NOT NULL,
	name_key TEXT COLLATE "C" NOT NULL,
	version  BIGINT           NOT NULL,
	doc      TEXT COLLATE "C" NOT NULL,
	UNIQUE (org_key, name_key)
);

CREATE INDEX projects_org ON projects (org_key, id);

-- The id is a stack's. It is no reference, because what was ordered is remembered
-- after its stack is gone. The name is the stack's as long as there is one: the
-- columns of it are as it was called when it was ordered, and in the end.
CREATE TABLE environments (
	id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	project_id   TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
	org          TEXT COLLATE "C" NOT NULL,
	project      TEXT COLLATE "C" NOT NULL,
	name         TEXT COLLATE "C" NOT NULL,
	org_key      TEXT COLLATE "C" NOT NULL,
	project_key  TEXT COLLATE "C" NOT NULL,
	name_key     TEXT COLLATE "C" NOT NULL,
	blueprint    TEXT COLLATE "C" NOT NULL,
	drift_status TEXT COLLATE "C" NOT NULL,
	due_at       BIGINT           NOT NULL,
	created_at   BIGINT           NOT NULL,
	deleted_at   BIGINT           NOT NULL,
	version      BIGINT           NOT NULL,
	labels       TEXT COLLATE "C" NOT NULL,
	inputs       TEXT COLLATE "C" NOT NULL,
	doc          TEXT COLLATE "C" NOT NULL
);

CREATE INDEX environments_project ON environments (project_id, id);
CREATE INDEX environments_due ON environments (due_at, id) WHERE due_at > 0;
CREATE INDEX environments_name ON environments (org_key, project_key, name_key);

CREATE TABLE operations (
	id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	stack_id    TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
	project_id  TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
	kind        TEXT COLLATE "C" NOT NULL,
	state       TEXT COLLATE "C" NOT NULL,
	priority    BIGINT           NOT NULL,
	version     BIGINT           NOT NULL,
	created_at  BIGINT           NOT NULL,
	updated_at  BIGINT           NOT NULL,
	started_at  BIGINT           NOT NULL,
	deadline_at BIGINT           NOT NULL,
	ended_at    BIGINT           NOT NULL,
	inputs      TEXT COLLATE "C" NOT NULL,
	doc         TEXT COLLATE "C" NOT NULL
);

CREATE INDEX operations_project ON operations (project_id, id);
CREATE INDEX operations_stack ON operations (stack_id, id);
CREATE INDEX operations_state ON operations (project_id, state);
CREATE INDEX operations_ordered ON operations (project_id, created_at);
CREATE INDEX operations_runnable ON operations (stack_id, kind) WHERE state IN ('queued', 'approved');
CREATE INDEX operations_claimed ON operations (project_id, state)
	WHERE state IN ('preparing', 'previewing', 'applying', 'verifying', 'canceling', 'recovering');
CREATE INDEX operations_deadline ON operations (deadline_at) WHERE deadline_at > 0;
CREATE INDEX operations_ended ON operations (ended_at) WHERE ended_at > 0;

-- One row for each environment that was ever claimed: fence must not fall back.
-- A claim that was released has expires_at 0.
CREATE TABLE claims (
	stack_id     TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES environments (id),
	operation_id TEXT COLLATE "C" NOT NULL,
	node         TEXT COLLATE "C" NOT NULL,
	fence        BIGINT           NOT NULL,
	expires_at   BIGINT           NOT NULL
);

CREATE INDEX claims_expiry ON claims (expires_at, stack_id) WHERE expires_at > 0;

CREATE TABLE approvals (
	id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	operation_id TEXT COLLATE "C" NOT NULL REFERENCES operations (id),
	at           BIGINT           NOT NULL,
	doc          TEXT COLLATE "C" NOT NULL
);

CREATE INDEX approvals_operation ON approvals (operation_id, at, id);

-- The last number that an operation's events were given, which outlives them.
CREATE TABLE operation_event_numbers (
	operation_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES operations (id),
	last         BIGINT           NOT NULL
);

CREATE TABLE operation_events (
	operation_id TEXT COLLATE "C" NOT NULL REFERENCES operations (id),
	seq          BIGINT           NOT NULL,
	at           BIGINT           NOT NULL,
	type         TEXT COLLATE "C" NOT NULL,
	data         TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (operation_id, seq)
);

CREATE TABLE waivers (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
	version    BIGINT           NOT NULL,
	doc        TEXT COLLATE "C" NOT NULL
);

CREATE INDEX waivers_project ON waivers (project_id, id);

CREATE TABLE bindings (
	id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	subject TEXT COLLATE "C" NOT NULL,
	version BIGINT           NOT NULL,
	doc     TEXT COLLATE "C" NOT NULL
);

CREATE INDEX bindings_subject ON bindings (subject, id);

CREATE TABLE webhooks (
	id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	org     TEXT COLLATE "C" NOT NULL,
	org_key TEXT COLLATE "C" NOT NULL,
	version BIGINT           NOT NULL,
	doc     TEXT COLLATE "C" NOT NULL
);

CREATE INDEX webhooks_org ON webhooks (org_key, id);

CREATE TABLE deliveries (
	id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	webhook_id   TEXT COLLATE "C" NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
	type         TEXT COLLATE "C" NOT NULL,
	attempts     BIGINT           NOT NULL,
	due_at       BIGINT           NOT NULL,
	delivered_at BIGINT           NOT NULL,
	status       BIGINT           NOT NULL,
	error        TEXT COLLATE "C" NOT NULL,
	created_at   BIGINT           NOT NULL,
	payload      TEXT COLLATE "C" NOT NULL
);

CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE due_at > 0;
CREATE INDEX deliveries_done ON deliveries (created_at) WHERE due_at = 0;

CREATE TABLE replies (
	principal    TEXT COLLATE "C" NOT NULL,
	key          TEXT COLLATE "C" NOT NULL,
	route        TEXT COLLATE "C" NOT NULL,
	request_hash BYTEA            NOT NULL,
	status       BIGINT           NOT NULL,
	header       TEXT COLLATE "C" NOT NULL,
	body         BYTEA            NOT NULL,
	created_at   BIGINT           NOT NULL,
	PRIMARY KEY (principal, key, route)
);

CREATE INDEX replies_age ON replies (created_at);

CREATE TABLE sessions (
	hash       BYTEA            NOT NULL PRIMARY KEY,
	expires_at BIGINT           NOT NULL,
	doc        TEXT COLLATE "C" NOT NULL
);

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE audit_checkpoints (
	sequence  BIGINT           NOT NULL PRIMARY KEY,
	hash      BYTEA            NOT NULL,
	at        BIGINT           NOT NULL,
	key_id    TEXT COLLATE "C" NOT NULL,
	signature BYTEA            NOT NULL
);
