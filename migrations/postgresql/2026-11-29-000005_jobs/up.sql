-- Imports are not the only work that outlives its request: actions and undos on many rows are jobs, too.
ALTER TABLE imports RENAME TO jobs;
ALTER TABLE jobs RENAME COLUMN file_name TO title;
ALTER TABLE jobs RENAME COLUMN created_at TO updated_at;
ALTER TABLE jobs ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'import' CHECK (kind IN ('import', 'action', 'undo'));
-- Rows. An import is one transaction, so the process that runs it counts them.
ALTER TABLE jobs ADD COLUMN done BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN total BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET total = CAST(CAST(report AS JSON) ->> 'rows' AS BIGINT);
DROP INDEX imports_user;
DROP INDEX imports_created_at;
CREATE INDEX jobs_user ON jobs (user_id);
CREATE INDEX jobs_updated_at ON jobs (updated_at);
