-- Refused tokens and sign-ins, for a few days. `sub` and `email` are empty unless a good signature vouches for them.
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL, -- the last time
    kind TEXT NOT NULL CHECK (kind IN ('token', 'sign_in')),
    code TEXT NOT NULL,
    sub TEXT NOT NULL,
    email TEXT NOT NULL,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    times BIGINT NOT NULL
);
CREATE INDEX refusals_at ON refusals (at);
CREATE INDEX refusals_user ON refusals (user_id);
