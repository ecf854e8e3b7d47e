DROP TABLE articles;
DROP TABLE row_counts;
