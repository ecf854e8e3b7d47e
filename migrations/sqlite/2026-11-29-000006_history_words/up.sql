-- For SQLite, a CHECK costs almost nothing, and dropping it means a new table.
SELECT 1;
