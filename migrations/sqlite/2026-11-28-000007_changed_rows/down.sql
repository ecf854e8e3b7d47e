DROP TABLE changed_rows;
