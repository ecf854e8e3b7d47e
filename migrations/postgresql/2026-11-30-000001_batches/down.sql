ALTER TABLE history DROP COLUMN ordinal;
