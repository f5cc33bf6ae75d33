-- +goose Up

-- Times are microseconds since 1970, 0 for none. Columns called …_key are the
-- folded names: what makes two names one. Maps and lists are JSON.

CREATE TABLE organizations (
	id         TEXT    NOT NULL PRIMARY KEY,
	name       TEXT    NOT NULL,
	name_key   TEXT    NOT NULL UNIQUE,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE stacks (
	id              TEXT    NOT NULL PRIMARY KEY,
	org             TEXT    NOT NULL,
	project         TEXT    NOT NULL,
	name            TEXT    NOT NULL,
	org_key         TEXT    NOT NULL,
	project_key     TEXT    NOT NULL,
	name_key        TEXT    NOT NULL,
	tags            TEXT    NOT NULL,
	protected       INTEGER NOT NULL,
	version         INTEGER NOT NULL,
	resources       INTEGER NOT NULL,
	pending_creates INTEGER NOT NULL,
	active_update   TEXT    NOT NULL,
	fence           INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL,
	UNIQUE (org_key, project_key, name_key)
) STRICT;

CREATE TABLE states (
	stack_id   TEXT    NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
	version    INTEGER NOT NULL,
	sealed     BLOB    NOT NULL,
	digest     BLOB    NOT NULL,
	resources  INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (stack_id, version)
) STRICT;

CREATE TABLE updates (
	id                 TEXT    NOT NULL PRIMARY KEY,
	stack_id           TEXT    NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
	kind               TEXT    NOT NULL,
	dry_run            INTEGER NOT NULL,
	status             TEXT    NOT NULL,
	version            INTEGER NOT NULL,
	base_version       INTEGER NOT NULL,
	journaled          INTEGER NOT NULL,
	fence              INTEGER NOT NULL,
	token_hashes       TEXT    NOT NULL,
	lease_expires_at   INTEGER NOT NULL,
	principal          TEXT    NOT NULL,
	message            TEXT    NOT NULL,
	environment        TEXT    NOT NULL,
	sealed_config      BLOB    NOT NULL,
	changes            TEXT    NOT NULL,
	resources          INTEGER NOT NULL,
	policies           TEXT    NOT NULL,
	touched            INTEGER NOT NULL,
	compliant          INTEGER NOT NULL,
	pending_operations INTEGER NOT NULL,
	created_at         INTEGER NOT NULL,
	started_at         INTEGER NOT NULL,
	completed_at       INTEGER NOT NULL
) STRICT;

CREATE INDEX updates_history ON updates (stack_id, version DESC) WHERE started_at > 0 AND NOT dry_run;
CREATE INDEX updates_previews ON updates (stack_id, created_at DESC, id DESC) WHERE dry_run;
CREATE INDEX updates_running ON updates (lease_expires_at) WHERE status = 'running';
CREATE INDEX updates_completed ON updates (completed_at) WHERE completed_at > 0;
CREATE INDEX updates_unstarted ON updates (created_at) WHERE started_at = 0;
-- What a stack's deletion looks for.
CREATE INDEX updates_stack ON updates (stack_id);

CREATE TABLE journal (
	update_id TEXT    NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
	sequence  INTEGER NOT NULL,
	digest    BLOB    NOT NULL,
	sealed    BLOB    NOT NULL,
	PRIMARY KEY (update_id, sequence)
) STRICT;

CREATE TABLE checkpoints (
	update_id TEXT    NOT NULL PRIMARY KEY REFERENCES updates (id) ON DELETE CASCADE,
	sequence  INTEGER NOT NULL,
	sealed    BLOB    NOT NULL
) STRICT;

CREATE TABLE events (
	update_id TEXT    NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
	sequence  INTEGER NOT NULL,
	sealed    BLOB    NOT NULL,
	PRIMARY KEY (update_id, sequence)
) STRICT;

CREATE TABLE data_keys (
	stack_id   TEXT    NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
	version    INTEGER NOT NULL,
	wrapped    BLOB    NOT NULL,
	wrapped_by TEXT    NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (stack_id, version)
) STRICT;

CREATE TABLE tokens (
	id           TEXT    NOT NULL PRIMARY KEY,
	hash         BLOB    NOT NULL,
	name         TEXT    NOT NULL,
	principal    TEXT    NOT NULL,
	grants       TEXT    NOT NULL,
	created_at   INTEGER NOT NULL,
	created_by   TEXT    NOT NULL,
	expires_at   INTEGER NOT NULL,
	revoked_at   INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL
) STRICT;

-- The number of the newest publication, which outlives the publication.
CREATE TABLE pack_numbers (
	org_key TEXT    NOT NULL,
	name    TEXT    NOT NULL,
	last    INTEGER NOT NULL,
	PRIMARY KEY (org_key, name)
) STRICT;

CREATE TABLE packs (
	org_key      TEXT    NOT NULL,
	org          TEXT    NOT NULL,
	name         TEXT    NOT NULL,
	display_name TEXT    NOT NULL,
	version      INTEGER NOT NULL,
	tag          TEXT    NOT NULL,
	policies     TEXT    NOT NULL,
	archive      BLOB    NOT NULL,
	complete     INTEGER NOT NULL,
	created_at   INTEGER NOT NULL,
	PRIMARY KEY (org_key, name, version),
	UNIQUE (org_key, name, tag)
) STRICT;

CREATE TABLE requirements (
	org_key TEXT NOT NULL,
	org     TEXT NOT NULL,
	pack    TEXT NOT NULL,
	tag     TEXT NOT NULL,
	config  TEXT NOT NULL,
	PRIMARY KEY (org_key, pack)
) STRICT;

CREATE TABLE audit (
	sequence  INTEGER NOT NULL PRIMARY KEY,
	at        INTEGER NOT NULL,
	principal TEXT    NOT NULL,
	token     TEXT    NOT NULL,
	action    TEXT    NOT NULL,
	target    TEXT    NOT NULL,
	denied    INTEGER NOT NULL,
	detail    TEXT    NOT NULL,
	previous  BLOB    NOT NULL,
	hash      BLOB    NOT NULL
) STRICT;

CREATE TABLE settings (
	name  TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) STRICT;
