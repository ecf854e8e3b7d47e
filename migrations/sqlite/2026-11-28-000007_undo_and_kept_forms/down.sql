DROP TABLE kept_forms;
DROP TABLE changed_rows;
