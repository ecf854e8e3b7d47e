-- Search by an index, where the server has pg_trgm. The first word, the longest, is a condition of its own, because an
-- index finds nothing for `LIKE ALL` of an array. The other words are checked in the rows that it finds.
CREATE OR REPLACE FUNCTION contains_all(haystack TEXT, words TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(replace(haystack, 'Σ', 'σ') COLLATE "und-x-icu") COLLATE "C" LIKE
        '%' || replace(replace(replace(split_part(words, chr(31), 1), '\', '\\'), '%', '\%'), '_', '\_') || '%'
    AND lower(replace(haystack, 'Σ', 'σ') COLLATE "und-x-icu") COLLATE "C" LIKE ALL (string_to_array(
        '%' || replace(
            replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_'),
            chr(31), '%' || chr(31) || '%'
        ) || '%',
        chr(31)
    ))
$$;

-- Without the extension, or without the right to create it, searches read all rows, with the same results.
DO $do$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX articles_search ON articles
        USING gin ((lower(replace(coalesce(name, ''), 'Σ', 'σ') COLLATE "und-x-icu") COLLATE "C") gin_trgm_ops);
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE NOTICE 'searches read all rows: %', SQLERRM;
END
$do$;
