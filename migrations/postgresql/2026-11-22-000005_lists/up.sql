-- Lists of the admin stay quick on a million rows. What each choice of a filter would leave is counted on every
-- page, so a choice that few rows fulfil needs an index: else all others are looked at in vain.

-- Date and author can be asked together without looking up the rows.
DROP INDEX articles_created_at;
CREATE INDEX articles_created_at ON articles (created_at, id, created_by);
DROP INDEX articles_created_by;
CREATE INDEX articles_created_by ON articles (created_by, created_at);

-- Only the few that are so are in these three.
CREATE INDEX users_staff ON users (id) WHERE is_staff;
CREATE INDEX users_superuser ON users (id) WHERE is_superuser;
CREATE INDEX users_inactive ON users (id) WHERE NOT is_active;
CREATE INDEX users_origin ON users (origin);

CREATE INDEX history_at ON history (at);
CREATE INDEX history_source ON history (source);
CREATE INDEX history_action ON history (action);

-- The button on an entry of the history that brings a row back.
CREATE INDEX deleted_rows_object ON deleted_rows (model, object_id);
