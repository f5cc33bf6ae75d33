-- +goose Up
ALTER TABLE stacks ADD COLUMN restored_at BIGINT NOT NULL DEFAULT 0;
