-- Groups of the pool: a local group may name one and then has its members. Memberships given by hand stay in
-- user_groups.
ALTER TABLE groups ADD COLUMN cognito_group TEXT CHECK (length(cognito_group) BETWEEN 1 AND 128);
CREATE UNIQUE INDEX groups_cognito_group ON groups (cognito_group);
CREATE TABLE user_cognito_groups (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX user_cognito_groups_group ON user_cognito_groups (group_id);

-- The `iat` of the last token whose groups were taken: an older one no longer counts.
ALTER TABLE users ADD COLUMN cognito_groups_iat BIGINT;
-- Whether a group of the pool made the user staff, and so may take it away.
ALTER TABLE users ADD COLUMN staff_by_cognito BOOLEAN NOT NULL DEFAULT FALSE;

-- One more source. SQLite cannot change a CHECK, so the table is rebuilt. Ids stay, and none is given twice.
CREATE TABLE new_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    actor TEXT NOT NULL, -- the actor's name at that time, which outlives the actor
    source TEXT NOT NULL CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token', 'cognito')),
    action TEXT NOT NULL CHECK (action IN ('created', 'changed', 'deleted')),
    model TEXT NOT NULL,
    object_id INTEGER NOT NULL,
    object TEXT NOT NULL, -- the object's name at that time
    changes TEXT NOT NULL -- JSON: {"field": [old, new]}
);
INSERT INTO new_history SELECT * FROM history;
DELETE FROM sqlite_sequence WHERE name = 'new_history';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_history', seq FROM sqlite_sequence WHERE name = 'history';
DROP TABLE history;
ALTER TABLE new_history RENAME TO history;
CREATE INDEX history_object ON history (model, object_id);
CREATE INDEX history_actor ON history (actor_id);
CREATE INDEX history_at ON history (at);
CREATE INDEX history_source ON history (source);
CREATE INDEX history_action ON history (action);
