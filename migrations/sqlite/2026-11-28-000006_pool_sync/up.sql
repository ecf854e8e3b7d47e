-- The pool sync may re-activate only whom it has deactivated itself.
ALTER TABLE users ADD COLUMN deactivated_by_sync BOOLEAN NOT NULL DEFAULT FALSE;

-- One more origin. SQLite cannot change a CHECK, and to rebuild a table that others refer to would delete their rows, so
-- the column is replaced.
DROP INDEX users_origin;
ALTER TABLE users ADD COLUMN new_origin TEXT NOT NULL DEFAULT 'admin' CHECK (new_origin IN ('admin', 'command_line', 'post_confirmation', 'first_token', 'pool_sync'));
UPDATE users SET new_origin = origin;
ALTER TABLE users DROP COLUMN origin;
ALTER TABLE users RENAME COLUMN new_origin TO origin;
CREATE INDEX users_origin ON users (origin);

-- One more source. To this table nothing refers, so it is rebuilt. Ids stay, and none is given twice.
CREATE TABLE new_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    actor TEXT NOT NULL, -- the actor's name at that time, which outlives the actor
    source TEXT NOT NULL CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token', 'cognito', 'pool_sync')),
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
