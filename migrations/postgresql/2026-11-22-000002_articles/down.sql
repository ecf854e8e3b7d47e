DROP TABLE articles;
DROP TABLE row_counts;
DROP FUNCTION count_rows();
DROP FUNCTION contains_all(TEXT, TEXT);
