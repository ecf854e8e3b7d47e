CREATE TABLE new_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    actor TEXT NOT NULL, -- the actor's name at that time, which outlives the actor
    source TEXT NOT NULL CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token')),
    action TEXT NOT NULL CHECK (action IN ('created', 'changed', 'deleted')),
    model TEXT NOT NULL,
    object_id INTEGER NOT NULL,
    object TEXT NOT NULL, -- the object's name at that time
    changes TEXT NOT NULL -- JSON: {"field": [old, new]}
);
UPDATE history SET source = 'first_token' WHERE source = 'cognito';
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
ALTER TABLE users DROP COLUMN staff_by_cognito;
ALTER TABLE users DROP COLUMN cognito_groups_iat;
DROP TABLE user_cognito_groups;
DROP INDEX groups_cognito_group;
ALTER TABLE groups DROP COLUMN cognito_group;
