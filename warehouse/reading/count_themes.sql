-- Counts, per source and per business of it, the reviews that speak of each theme: each review with the probability of its
-- clearest sentence. Decimals, as a sum of them does not depend on the order. What was counted before is deleted first. In: $fingerprint of the readings, $run_id.
INSERT INTO store.theme_share BY NAME
WITH said AS (
    SELECT review_id, source, business, theme, max(probability)::DECIMAL(9, 4) AS probability
    FROM (
        SELECT r.review_id, r.source, r.business, unnest(s.themes, recursive := true)
        FROM (
            SELECT review_id, unnest(sentences) AS s FROM store.read WHERE fingerprint = $fingerprint
        ) JOIN reviews r USING (review_id)
    )
    GROUP BY ALL
), places AS (
    SELECT source, business, count(*) AS reviews
    FROM reviews WHERE NOT rating_only GROUP BY GROUPING SETS ((source), (source, business))
    HAVING business IS NOT NULL OR grouping(business) = 1
), totals AS (
    SELECT source, business, theme, sum(probability)::DOUBLE AS total
    FROM said GROUP BY GROUPING SETS ((source, theme), (source, business, theme))
    HAVING business IS NOT NULL OR grouping(business) = 1
)
SELECT t.source, coalesce(t.business, '') AS business, theme, total, reviews, $fingerprint AS fingerprint, $run_id AS run_id
FROM totals t JOIN places p ON p.source = t.source AND p.business IS NOT DISTINCT FROM t.business;
