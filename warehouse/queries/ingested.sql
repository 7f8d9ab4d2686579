-- How many records came in, and what became of them? Counted over the sources as they are now. Grain: one row.
SELECT sum(rows)::BIGINT AS rows, sum(accepted)::BIGINT AS accepted, sum(rejected)::BIGINT AS rejected,
       sum(duplicates)::BIGINT AS duplicates, sum(rating_only)::BIGINT AS rating_only
FROM sources;
