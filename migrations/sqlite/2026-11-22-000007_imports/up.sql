-- CSV files between their check and their import, so that what was checked is what is imported.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    file_name TEXT NOT NULL,
    content TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('checked', 'running', 'done', 'failed')),
    report TEXT NOT NULL, -- JSON: what the check found, then what the import did
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX imports_user ON imports (user_id);
CREATE INDEX imports_created_at ON imports (created_at);
