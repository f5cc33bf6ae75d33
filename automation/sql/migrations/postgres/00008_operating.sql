-- +goose Up

-- What metrics count at each scrape.
CREATE INDEX operations_open ON operations (state, kind, updated_at) WHERE ended_at = 0;
CREATE INDEX operations_drift ON operations (ended_at) WHERE kind = 'drift' AND ended_at > 0;
CREATE INDEX environments_live ON environments (project_id, drift_status) WHERE deleted_at = 0;
