CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,
    is_public BOOLEAN NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('talk', 'workshop')),
    owner INTEGER REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT events_ends_at CHECK (ends_at > starts_at)
);
CREATE INDEX events_name ON events (name, id);
CREATE INDEX events_starts_at ON events (starts_at, id);
CREATE INDEX events_owner ON events (owner);
