-- The extension stays: something else may use it.
DROP INDEX IF EXISTS articles_search;
CREATE OR REPLACE FUNCTION contains_all(haystack TEXT, words TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(replace(haystack, 'Σ', 'σ') COLLATE "und-x-icu") COLLATE "C" LIKE ALL (string_to_array(
        '%' || replace(
            replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_'),
            chr(31), '%' || chr(31) || '%'
        ) || '%',
        chr(31)
    ))
$$;
