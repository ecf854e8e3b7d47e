DROP INDEX users_cognito_sub;
DROP TABLE kept_forms;
DROP TABLE changed_rows;
