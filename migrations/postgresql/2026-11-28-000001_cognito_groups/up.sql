-- Groups of the pool: a local group may name one and then has its members. Memberships given by hand stay in
-- user_groups.
ALTER TABLE groups ADD COLUMN cognito_group TEXT COLLATE "C" UNIQUE CHECK (length(cognito_group) BETWEEN 1 AND 128);
CREATE TABLE user_cognito_groups (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX user_cognito_groups_group ON user_cognito_groups (group_id);

-- The `iat` of the last token whose groups were taken: an older one no longer counts.
ALTER TABLE users ADD COLUMN cognito_groups_iat BIGINT;
-- Whether a group of the pool made the user staff, and so may take it away.
ALTER TABLE users ADD COLUMN staff_by_cognito BOOLEAN NOT NULL DEFAULT FALSE;

-- One more source.
ALTER TABLE history DROP CONSTRAINT history_source_check;
ALTER TABLE history ADD CONSTRAINT history_source_check
    CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token', 'cognito'));
