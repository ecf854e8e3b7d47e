-- The second factors of passwords, one a user, and the codes that stand in for them. They go and come back with their
-- user: an undone deletion must not bring back a user without the factor.
CREATE TABLE second_factors (
    user_id INTEGER PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL, -- encrypted with a key that is not in the database
    last_step BIGINT NOT NULL, -- of the last code that counted (RFC 6238): each counts once
    confirmed_at TIMESTAMP NOT NULL
);
CREATE TABLE recovery_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL, -- SHA-256; a code that was used is deleted
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX recovery_codes_user ON recovery_codes (user_id);
