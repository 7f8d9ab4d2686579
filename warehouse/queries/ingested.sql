-- How many records came in? Counted over the latest reading of each source. Grain: one row.
SELECT sum(rows)::BIGINT AS rows, sum(accepted)::BIGINT AS accepted, sum(rejected)::BIGINT AS rejected, sum(duplicates)::BIGINT AS duplicates
FROM (SELECT * FROM ingests QUALIFY row_number() OVER (PARTITION BY source ORDER BY run_id DESC) = 1);
