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

-- How many rows a table has, kept by triggers: SQLite would count them one by one for every page of a list.
CREATE TABLE row_counts (
    table_name TEXT PRIMARY KEY NOT NULL,
    row_count BIGINT NOT NULL
);
INSERT INTO row_counts VALUES ('articles', 0);
CREATE TRIGGER articles_inserted AFTER INSERT ON articles BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE table_name = 'articles';
END;
CREATE TRIGGER articles_deleted AFTER DELETE ON articles BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE table_name = 'articles';
END;
