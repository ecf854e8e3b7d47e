-- How many requests the API answered on each day.
CREATE TABLE api_requests (
    day INTEGER PRIMARY KEY NOT NULL, -- since 1970-01-01
    requests BIGINT NOT NULL
);

-- Changes that were made together: an action on several rows, a deletion of several, an import.
ALTER TABLE history ADD COLUMN batch TEXT;
CREATE INDEX history_batch ON history (batch, id) WHERE batch IS NOT NULL;

-- A sign-in to the admin counts as seen, too.
UPDATE users SET last_seen_at = last_login
WHERE last_login IS NOT NULL AND (last_seen_at IS NULL OR last_seen_at < last_login);

-- The home page counts these users, and filters ask for the times.
CREATE INDEX users_date_joined ON users (date_joined);
CREATE INDEX users_last_seen ON users (last_seen_at);
-- For the order of the list of users.
CREATE INDEX users_last_active ON users (COALESCE(last_seen_at, '0001-01-01 00:00:00'), id);
CREATE INDEX users_linked ON users (id) WHERE cognito_issuer IS NOT NULL;
CREATE INDEX users_never_seen ON users (id) WHERE cognito_issuer IS NOT NULL AND last_seen_at IS NULL;
