-- +goose Up

-- What lists are filtered by: of environments and operations as doc has it.
ALTER TABLE environments ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
UPDATE environments SET expires_at = unixepoch(json_extract(doc, '$.expires_at')) * 1000000
	WHERE json_extract(doc, '$.expires_at') IS NOT NULL;
CREATE INDEX environments_expiry ON environments (expires_at) WHERE expires_at > 0;

ALTER TABLE operations ADD COLUMN requested_by TEXT NOT NULL DEFAULT '';
UPDATE operations SET requested_by =
	coalesce(json_extract(doc, '$.requested_by.type') || ':' || json_extract(doc, '$.requested_by.id'), '');
CREATE INDEX operations_requested_by ON operations (requested_by, id);

-- Operations have a token each: those that people see are found without them.
CREATE INDEX tokens_access ON tokens (id) WHERE substr(principal, 1, 10) <> 'operation/';
CREATE INDEX tokens_principal ON tokens (principal, id);
