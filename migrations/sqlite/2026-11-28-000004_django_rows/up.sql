-- Which rows came from Django, so that importing the same project again changes nothing, whatever was renamed or
-- deleted here since.
CREATE TABLE django_rows (
    model TEXT NOT NULL, -- article, user, group, log_entry
    source_key TEXT NOT NULL, -- the primary key in Django; where a dump has none, the natural key
    joined TEXT, -- a user's date_joined, which tells one project from another
    local_id BIGINT NOT NULL,
    PRIMARY KEY (model, source_key)
) WITHOUT ROWID;
