CREATE TABLE articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) <= 50),
    created_by INTEGER REFERENCES users (id) ON DELETE SET NULL, -- an article outlives its author
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
-- For lists ordered by name, and for the foreign key.
CREATE INDEX articles_name ON articles (name, id);
CREATE INDEX articles_created_by ON articles (created_by);
