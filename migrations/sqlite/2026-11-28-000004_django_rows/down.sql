DROP TABLE django_rows;
