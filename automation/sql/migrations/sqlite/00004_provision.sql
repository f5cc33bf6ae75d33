-- +goose Up

-- What package provision keeps. Columns are what is looked up, sorted or unique;
-- the rest is in doc, as JSON. JSON that must come back byte by byte (inputs,
-- payloads, the data of events) has a column of its own.

CREATE TABLE projects (
	id       TEXT    NOT NULL PRIMARY KEY,
	org      TEXT    NOT NULL,
	name     TEXT    NOT NULL,
	org_key  TEXT    NOT NULL,
	name_key TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	doc      TEXT    NOT NULL,
	UNIQUE (org_key, name_key)
) STRICT;

CREATE INDEX projects_org ON projects (org_key, id);

-- The id is a stack's. It is no reference, because what was ordered is remembered
-- after its stack is gone. The name is the stack's as long as there is one: the
-- columns of it are as it was called when it was ordered, and in the end.
CREATE TABLE environments (
	id           TEXT    NOT NULL PRIMARY KEY,
	project_id   TEXT    NOT NULL REFERENCES projects (id),
	org          TEXT    NOT NULL,
	project      TEXT    NOT NULL,
	name         TEXT    NOT NULL,
	org_key      TEXT    NOT NULL,
	project_key  TEXT    NOT NULL,
	name_key     TEXT    NOT NULL,
	blueprint    TEXT    NOT NULL,
	drift_status TEXT    NOT NULL,
	due_at       INTEGER NOT NULL,
	created_at   INTEGER NOT NULL,
	deleted_at   INTEGER NOT NULL,
	version      INTEGER NOT NULL,
	labels       TEXT    NOT NULL,
	inputs       TEXT    NOT NULL,
	doc          TEXT    NOT NULL
) STRICT;

CREATE INDEX environments_project ON environments (project_id, id);
CREATE INDEX environments_due ON environments (due_at, id) WHERE due_at > 0;
CREATE INDEX environments_name ON environments (org_key, project_key, name_key);

CREATE TABLE operations (
	id          TEXT    NOT NULL PRIMARY KEY,
	stack_id    TEXT    NOT NULL REFERENCES environments (id),
	project_id  TEXT    NOT NULL REFERENCES projects (id),
	kind        TEXT    NOT NULL,
	state       TEXT    NOT NULL,
	priority    INTEGER NOT NULL,
	version     INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	started_at  INTEGER NOT NULL,
	deadline_at INTEGER NOT NULL,
	ended_at    INTEGER NOT NULL,
	inputs      TEXT    NOT NULL,
	doc         TEXT    NOT NULL
) STRICT;

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
	stack_id     TEXT    NOT NULL PRIMARY KEY REFERENCES environments (id),
	operation_id TEXT    NOT NULL,
	node         TEXT    NOT NULL,
	fence        INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX claims_expiry ON claims (expires_at, stack_id) WHERE expires_at > 0;

CREATE TABLE approvals (
	id           TEXT    NOT NULL PRIMARY KEY,
	operation_id TEXT    NOT NULL REFERENCES operations (id),
	at           INTEGER NOT NULL,
	doc          TEXT    NOT NULL
) STRICT;

CREATE INDEX approvals_operation ON approvals (operation_id, at, id);

-- The last number that an operation's events were given, which outlives them.
CREATE TABLE operation_event_numbers (
	operation_id TEXT    NOT NULL PRIMARY KEY REFERENCES operations (id),
	last         INTEGER NOT NULL
) STRICT;

CREATE TABLE operation_events (
	operation_id TEXT    NOT NULL REFERENCES operations (id),
	seq          INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	type         TEXT    NOT NULL,
	data         TEXT    NOT NULL,
	PRIMARY KEY (operation_id, seq)
) STRICT;

CREATE TABLE waivers (
	id         TEXT    NOT NULL PRIMARY KEY,
	project_id TEXT    NOT NULL REFERENCES projects (id),
	version    INTEGER NOT NULL,
	doc        TEXT    NOT NULL
) STRICT;

CREATE INDEX waivers_project ON waivers (project_id, id);

CREATE TABLE bindings (
	id      TEXT    NOT NULL PRIMARY KEY,
	subject TEXT    NOT NULL,
	version INTEGER NOT NULL,
	doc     TEXT    NOT NULL
) STRICT;

CREATE INDEX bindings_subject ON bindings (subject, id);

CREATE TABLE webhooks (
	id      TEXT    NOT NULL PRIMARY KEY,
	org     TEXT    NOT NULL,
	org_key TEXT    NOT NULL,
	version INTEGER NOT NULL,
	doc     TEXT    NOT NULL
) STRICT;

CREATE INDEX webhooks_org ON webhooks (org_key, id);

CREATE TABLE deliveries (
	id           TEXT    NOT NULL PRIMARY KEY,
	webhook_id   TEXT    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
	type         TEXT    NOT NULL,
	attempts     INTEGER NOT NULL,
	due_at       INTEGER NOT NULL,
	delivered_at INTEGER NOT NULL,
	status       INTEGER NOT NULL,
	error        TEXT    NOT NULL,
	created_at   INTEGER NOT NULL,
	payload      TEXT    NOT NULL
) STRICT;

CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE due_at > 0;
CREATE INDEX deliveries_done ON deliveries (created_at) WHERE due_at = 0;

CREATE TABLE replies (
	principal    TEXT    NOT NULL,
	key          TEXT    NOT NULL,
	route        TEXT    NOT NULL,
	request_hash BLOB    NOT NULL,
	status       INTEGER NOT NULL,
	header       TEXT    NOT NULL,
	body         BLOB    NOT NULL,
	created_at   INTEGER NOT NULL,
	PRIMARY KEY (principal, key, route)
) STRICT;

CREATE INDEX replies_age ON replies (created_at);

CREATE TABLE sessions (
	hash       BLOB    NOT NULL PRIMARY KEY,
	expires_at INTEGER NOT NULL,
	doc        TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE audit_checkpoints (
	sequence  INTEGER NOT NULL PRIMARY KEY,
	hash      BLOB    NOT NULL,
	at        INTEGER NOT NULL,
	key_id    TEXT    NOT NULL,
	signature BLOB    NOT NULL
) STRICT;
