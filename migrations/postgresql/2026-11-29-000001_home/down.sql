DROP INDEX users_never_seen;
DROP INDEX users_linked;
DROP INDEX users_last_seen;
DROP INDEX users_last_active;
DROP INDEX users_date_joined;
DROP INDEX history_batch;
ALTER TABLE history DROP COLUMN batch;
DROP TABLE api_requests;
