-- +goose Up

-- What lists are filtered by: of environments and operations as doc has it.
ALTER TABLE environments ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
UPDATE environments SET expires_at = (extract(epoch FROM (doc::json->>'expires_at')::timestamptz) * 1000000)::bigint
	WHERE doc::json->>'expires_at' IS NOT NULL;
CREATE INDEX environments_expiry ON environments (expires_at) WHERE expires_at > 0;

ALTER TABLE operations ADD COLUMN requested_by TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE operations SET requested_by =
	coalesce((doc::json->'requested_by'->>'type') || ':' || (doc::json->'requested_by'->>'id'), '');
CREATE INDEX operations_requested_by ON operations (requested_by, id);

-- Operations have a token each: those that people see are found without them.
CREATE INDEX tokens_access ON tokens (id) WHERE substr(principal, 1, 10) <> 'operation/';
CREATE INDEX tokens_principal ON tokens (principal, id);
