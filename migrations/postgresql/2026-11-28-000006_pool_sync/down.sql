ALTER TABLE history DROP CONSTRAINT history_source_check;
UPDATE history SET source = 'cognito' WHERE source = 'pool_sync';
ALTER TABLE history ADD CONSTRAINT history_source_check
    CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token', 'cognito'));
ALTER TABLE users DROP CONSTRAINT users_origin_check;
UPDATE users SET origin = 'first_token' WHERE origin = 'pool_sync';
ALTER TABLE users ADD CONSTRAINT users_origin_check CHECK (origin IN ('admin', 'command_line', 'post_confirmation', 'first_token'));
ALTER TABLE users DROP COLUMN deactivated_by_sync;
