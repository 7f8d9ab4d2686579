-- The latest reading of each source, and what its records are now: rows = accepted + rejected + duplicates + rating_only.
-- Grain: source.
CREATE OR REPLACE VIEW sources AS
WITH latest AS (
    SELECT s.* FROM store.sources s LEFT JOIN runs USING (run_id)
    QUALIFY row_number() OVER (PARTITION BY source ORDER BY number DESC NULLS LAST, read_at DESC, run_id DESC) = 1
),
kept AS (
    SELECT source, count(*) FILTER (NOT rating_only) AS accepted, count(*) FILTER (rating_only) AS rating_only
    FROM reviews GROUP BY source
),
lost AS (
    SELECT source, count(*) FILTER (reason <> 'duplicate') AS rejected, count(*) FILTER (reason = 'duplicate') AS duplicates
    FROM rejects GROUP BY source
)
SELECT l.source, l.read_at, l.rows, coalesce(k.accepted, 0) AS accepted, coalesce(j.rejected, 0) AS rejected,
       coalesce(j.duplicates, 0) AS duplicates, coalesce(k.rating_only, 0) AS rating_only,
       l.* EXCLUDE (source, read_at, rows)
FROM latest l LEFT JOIN kept k USING (source) LEFT JOIN lost j USING (source);
