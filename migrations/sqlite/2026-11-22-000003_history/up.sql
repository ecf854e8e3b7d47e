-- Who changed what: one row a change, written in the change's own transaction.
CREATE TABLE history (
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
CREATE INDEX history_object ON history (model, object_id);
CREATE INDEX history_actor ON history (actor_id);
