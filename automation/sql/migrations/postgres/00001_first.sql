-- +goose Up

-- Times are microseconds since 1970, 0 for none. Columns called …_key are the
-- folded names: what makes two names one. Maps and lists are JSON.

CREATE TABLE organizations (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	name       TEXT COLLATE "C" NOT NULL,
	name_key   TEXT COLLATE "C" NOT NULL UNIQUE,
	created_at BIGINT           NOT NULL
);

CREATE TABLE stacks (
	id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	org             TEXT COLLATE "C" NOT NULL,
	project         TEXT COLLATE "C" NOT NULL,
	name            TEXT COLLATE "C" NOT NULL,
	org_key         TEXT COLLATE "C" NOT NULL,
	project_key     TEXT COLLATE "C" NOT NULL,
	name_key        TEXT COLLATE "C" NOT NULL,
	tags            TEXT COLLATE "C" NOT NULL,
	protected       BOOLEAN          NOT NULL,
	version         BIGINT           NOT NULL,
	resources       BIGINT           NOT NULL,
	pending_creates BIGINT           NOT NULL,
	active_update   TEXT COLLATE "C" NOT NULL,
	fence           BIGINT           NOT NULL,
	created_at      BIGINT           NOT NULL,
	updated_at      BIGINT           NOT NULL,
	UNIQUE (org_key, project_key, name_key)
);

CREATE TABLE states (
	stack_id   TEXT COLLATE "C" NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
	version    BIGINT           NOT NULL,
	sealed     BYTEA            NOT NULL,
	digest     BYTEA            NOT NULL,
	resources  BIGINT           NOT NULL,
	created_at BIGINT           NOT NULL,
	PRIMARY KEY (stack_id, version)
);

CREATE TABLE updates (
	id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	stack_id           TEXT COLLATE "C" NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
	kind               TEXT COLLATE "C" NOT NULL,
	dry_run            BOOLEAN          NOT NULL,
	status             TEXT COLLATE "C" NOT NULL,
	version            BIGINT           NOT NULL,
	base_version       BIGINT           NOT NULL,
	journaled          BOOLEAN          NOT NULL,
	fence              BIGINT           NOT NULL,
	token_hashes       TEXT COLLATE "C" NOT NULL,
	lease_expires_at   BIGINT           NOT NULL,
	principal          TEXT COLLATE "C" NOT NULL,
	message            TEXT COLLATE "C" NOT NULL,
	environment        TEXT COLLATE "C" NOT NULL,
	sealed_config      BYTEA            NOT NULL,
	changes            TEXT COLLATE "C" NOT NULL,
	resources          BIGINT           NOT NULL,
	policies           TEXT COLLATE "C" NOT NULL,
	touched            BOOLEAN          NOT NULL,
	compliant          BOOLEAN          NOT NULL,
	pending_operations BIGINT           NOT NULL,
	created_at         BIGINT           NOT NULL,
	started_at         BIGINT           NOT NULL,
	completed_at       BIGINT           NOT NULL
);

CREATE INDEX updates_history ON updates (stack_id, version DESC) WHERE started_at > 0 AND NOT dry_run;
CREATE INDEX updates_previews ON updates (stack_id, created_at DESC, id DESC) WHERE dry_run;
CREATE INDEX updates_running ON updates (lease_expires_at) WHERE status = 'running';
CREATE INDEX updates_completed ON updates (completed_at) WHERE completed_at > 0;
CREATE INDEX updates_unstarted ON updates (created_at) WHERE started_at = 0;
-- What a stack's deletion looks for.
CREATE INDEX updates_stack ON updates (stack_id);

CREATE TABLE journal (
	update_id TEXT COLLATE "C" NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
	sequence  BIGINT           NOT NULL,
	digest    BYTEA            NOT NULL,
	sealed    BYTEA            NOT NULL,
	PRIMARY KEY (update_id, sequence)
);

CREATE TABLE checkpoints (
	update_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES updates (id) ON DELETE CASCADE,
	sequence  BIGINT           NOT NULL,
	sealed    BYTEA            NOT NULL
);

CREATE TABLE events (
	update_id TEXT COLLATE "C" NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
	sequence  BIGINT           NOT NULL,
	sealed    BYTEA            NOT NULL,
	PRIMARY KEY (update_id, sequence)
);

CREATE TABLE data_keys (
	stack_id   TEXT COLLATE "C" NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
	version    BIGINT           NOT NULL,
	wrapped    BYTEA            NOT NULL,
	wrapped_by TEXT COLLATE "C" NOT NULL,
	created_at BIGINT           NOT NULL,
	PRIMARY KEY (stack_id, version)
);

CREATE TABLE tokens (
	id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	hash         BYTEA            NOT NULL,
	name         TEXT COLLATE "C" NOT NULL,
	principal    TEXT COLLATE "C" NOT NULL,
	grants       TEXT COLLATE "C" NOT NULL,
	created_at   BIGINT           NOT NULL,
	created_by   TEXT COLLATE "C" NOT NULL,
	expires_at   BIGINT           NOT NULL,
	revoked_at   BIGINT           NOT NULL,
	last_used_at BIGINT           NOT NULL
);

-- The number of the newest publication, which outlives the publication.
CREATE TABLE pack_numbers (
	org_key TEXT COLLATE "C" NOT NULL,
	name    TEXT COLLATE "C" NOT NULL,
	last    BIGINT           NOT NULL,
	PRIMARY KEY (org_key, name)
);

CREATE TABLE packs (
	org_key      TEXT COLLATE "C" NOT NULL,
	org          TEXT COLLATE "C" NOT NULL,
	name         TEXT COLLATE "C" NOT NULL,
	display_name TEXT COLLATE "C" NOT NULL,
	version      BIGINT           NOT NULL,
	tag          TEXT COLLATE "C" NOT NULL,
	policies     TEXT COLLATE "C" NOT NULL,
	archive      BYTEA            NOT NULL,
	complete     BOOLEAN          NOT NULL,
	created_at   BIGINT           NOT NULL,
	PRIMARY KEY (org_key, name, version),
	UNIQUE (org_key, name, tag)
);

CREATE TABLE requirements (
	org_key TEXT COLLATE "C" NOT NULL,
	org     TEXT COLLATE "C" NOT NULL,
	pack    TEXT COLLATE "C" NOT NULL,
	tag     TEXT COLLATE "C" NOT NULL,
	config  TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (org_key, pack)
);

CREATE TABLE audit (
	sequence  BIGINT           NOT NULL PRIMARY KEY,
	at        BIGINT           NOT NULL,
	principal TEXT COLLATE "C" NOT NULL,
	token     TEXT COLLATE "C" NOT NULL,
	action    TEXT COLLATE "C" NOT NULL,
	target    TEXT COLLATE "C" NOT NULL,
	denied    BOOLEAN          NOT NULL,
	detail    TEXT COLLATE "C" NOT NULL,
	previous  BYTEA            NOT NULL,
	hash      BYTEA            NOT NULL
);

CREATE TABLE settings (
	name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	value BYTEA            NOT NULL
);

-- What is sealed does not get smaller: spare the server the attempt.
ALTER TABLE states ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE updates ALTER COLUMN sealed_config SET STORAGE EXTERNAL;
ALTER TABLE journal ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE checkpoints ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE events ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE packs ALTER COLUMN archive SET STORAGE EXTERNAL;
