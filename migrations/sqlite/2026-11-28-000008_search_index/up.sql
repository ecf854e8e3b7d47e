-- Only PostgreSQL has an index for searches.
SELECT 1;
