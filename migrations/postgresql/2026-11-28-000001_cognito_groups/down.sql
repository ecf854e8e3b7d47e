ALTER TABLE history DROP CONSTRAINT history_source_check;
UPDATE history SET source = 'first_token' WHERE source = 'cognito';
ALTER TABLE history ADD CONSTRAINT history_source_check
    CHECK (source IN ('admin', 'api', 'command_line', 'post_confirmation', 'first_token'));
ALTER TABLE users DROP COLUMN staff_by_cognito;
ALTER TABLE users DROP COLUMN cognito_groups_iat;
DROP TABLE user_cognito_groups;
ALTER TABLE groups DROP COLUMN cognito_group;
