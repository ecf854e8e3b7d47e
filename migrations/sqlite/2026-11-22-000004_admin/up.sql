-- What the admin needs: groups and permissions, sessions, the throttle of sign-ins, and deleted rows that
-- can be brought back.

CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 150)
);
CREATE TABLE user_groups (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX user_groups_group ON user_groups (group_id);

-- Permissions are named by the program, as `articles.change_article`: they come with its models.
CREATE TABLE user_permissions (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (user_id, permission)
);
CREATE TABLE group_permissions (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (group_id, permission)
);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, -- names the session on pages; the key itself is nowhere
    key_hash TEXT NOT NULL UNIQUE, -- SHA-256 of the cookie's key
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    state TEXT NOT NULL, -- JSON
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

-- Keys that the program makes for itself, shared by all processes on this database.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

-- Leaking buckets: `level` as of `at`, in milliseconds since 1970.
CREATE TABLE throttles (
    name TEXT PRIMARY KEY NOT NULL,
    level DOUBLE NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX throttles_at ON throttles (at);

-- Deleted rows as they were, with the rows that went along. `batch` ties together what one click deleted.
CREATE TABLE deleted_rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    batch TEXT NOT NULL,
    at TIMESTAMP NOT NULL,
    model TEXT NOT NULL,
    object_id BIGINT NOT NULL,
    object TEXT NOT NULL,
    table_name TEXT NOT NULL,
    content TEXT NOT NULL -- JSON: the row, and what referred to it
);
CREATE INDEX deleted_rows_batch ON deleted_rows (batch);
CREATE INDEX deleted_rows_at ON deleted_rows (at);

-- Lists of the admin: by date, and the total of users without counting them.
CREATE INDEX articles_created_at ON articles (created_at, id);
INSERT INTO row_counts SELECT 'users', count(*) FROM users;
CREATE TRIGGER users_inserted AFTER INSERT ON users BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE table_name = 'users';
END;
CREATE TRIGGER users_deleted AFTER DELETE ON users BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE table_name = 'users';
END;
