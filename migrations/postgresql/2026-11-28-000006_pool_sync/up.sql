-- The pool sync may re-activate only whom it has deactivated itself.
ALTER TABLE users ADD COLUMN deactivated_by_sync BOOLEAN NOT NULL DEFAULT FALSE;

-- One more origin and one more source.
ALTER TABLE users DROP CONSTRAINT users_origin_check;
ALTER TABLE users ADD CONSTRAINT users_origin_check CHECK (origin IN ('admin', 'command_line', 'post_confirmation', 'first_token', 'pool_sync'));
ALTER TABLE history DROP CONSTRAINT history_source_check;
ALTER TABLE history ADD CONSTRAINT history_source_check
    CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token', 'cognito', 'pool_sync'));
