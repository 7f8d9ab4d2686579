-- Counts, per source and per business of it, the reviews that speak of each theme: each review with the probability of its
-- clearest sentence. Decimals, as a sum of them does not depend on the order. Of reviews that changed, what was counted before is
-- taken off. In: temp table `recounted` (review_id), $fingerprint of the readings, $run_id.
INSERT INTO store.theme_share BY NAME
WITH said AS (
    SELECT source, business, theme, probability FROM said_now
    UNION ALL SELECT source, business, theme, -probability FROM said_before
), places AS (
    SELECT source, business, count(*) AS reviews
    FROM reviews WHERE NOT rating_only GROUP BY GROUPING SETS ((source), (source, business))
    HAVING business IS NOT NULL OR grouping(business) = 1
), counts AS (
    SELECT source, business, theme, sum(probability) AS total
    FROM said GROUP BY GROUPING SETS ((source, theme), (source, business, theme))
    HAVING business IS NOT NULL OR grouping(business) = 1
), totals AS (
    SELECT source, business, theme, sum(total)::DOUBLE AS total
    FROM (SELECT source, coalesce(business, '') AS business, theme, total FROM counts
          UNION ALL SELECT source, business, theme, total::DECIMAL(18, 4) FROM shares_before)
    GROUP BY ALL HAVING sum(total) > 0
)
SELECT t.source, t.business, theme, total, reviews, $fingerprint AS fingerprint, $run_id AS run_id
FROM totals t JOIN places p ON p.source = t.source AND coalesce(p.business, '') = t.business;
