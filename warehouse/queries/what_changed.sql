-- What changed since yesterday? Reviews added by the latest run, compared with all earlier ones. Grain: what.
-- Shares are of the reviews with words; the row `reviews` counts ratings without words too.
WITH marked AS (
    SELECT i.*, r.run_id IS NOT DISTINCT FROM (SELECT run_id FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY number DESC NULLS LAST, run_id DESC LIMIT 1) AS fresh
    FROM insights_in($business, $product, $language, $since, $until, $segment) i JOIN reviews r USING (review_id)
), counts AS (
    SELECT 'reviews' AS what, NULL::BIGINT AS new, NULL::BIGINT AS before WHERE false
    UNION ALL SELECT 'reviews', count(*) FILTER (fresh), count(*) FILTER (NOT fresh) FROM marked
    UNION ALL SELECT 'negative', count(*) FILTER (fresh), count(*) FILTER (NOT fresh) FROM marked WHERE sentiment = 'negative'
    UNION ALL SELECT 'complaint: ' || theme, count(*) FILTER (fresh), count(*) FILTER (NOT fresh)
    FROM complaints JOIN marked USING (review_id) GROUP BY theme
), compared AS (
    SELECT what, new, before, nullif(CASE what WHEN 'reviews' THEN new ELSE words_new END, 0) AS of_new,
           nullif(CASE what WHEN 'reviews' THEN before ELSE words_before END, 0) AS of_before
    FROM counts
    CROSS JOIN (SELECT count(*) FILTER (fresh) AS words_new, count(*) FILTER (NOT fresh) AS words_before
                FROM marked WHERE NOT rating_only)
)
SELECT what, new, before, new / of_new AS share_new, before / of_before AS share_before,
       newcombe_low(new, of_new, before, of_before) AS change_low, newcombe_high(new, of_new, before, of_before) AS change_high
FROM compared
WHERE new > 0 OR what = 'reviews'
ORDER BY what <> 'reviews', what <> 'negative', new DESC, what LIMIT coalesce($limit, 20);
