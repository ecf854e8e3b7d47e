-- What actions changed, so that they can be undone. `batch` ties together what one click changed.
CREATE TABLE changed_rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    batch TEXT NOT NULL,
    at TIMESTAMP NOT NULL,
    action TEXT NOT NULL,
    entry_id BIGINT NOT NULL, -- of the history, which names the row
    content TEXT NOT NULL -- JSON: what differs, before and after
);
CREATE INDEX changed_rows_batch ON changed_rows (batch);
CREATE INDEX changed_rows_at ON changed_rows (at);
CREATE INDEX changed_rows_entry ON changed_rows (entry_id);

-- Forms that came without a session, until their user has signed in again.
CREATE TABLE kept_forms (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    content TEXT NOT NULL -- encrypted with a cookie of the browser
);
CREATE INDEX kept_forms_user ON kept_forms (user_id);
CREATE INDEX kept_forms_at ON kept_forms (at);

-- The admin's search finds users by their sub.
CREATE INDEX users_cognito_sub ON users (cognito_sub);
