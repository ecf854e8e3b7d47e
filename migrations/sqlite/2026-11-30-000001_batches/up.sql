-- The place of an entry in its batch, from 1. The home page steps over a batch without reading its entries.
ALTER TABLE history ADD COLUMN ordinal BIGINT;
UPDATE history SET ordinal = numbered.ordinal
FROM (
    SELECT id, row_number() OVER (PARTITION BY batch ORDER BY id) AS ordinal FROM history WHERE batch IS NOT NULL
) AS numbered
WHERE history.id = numbered.id;
