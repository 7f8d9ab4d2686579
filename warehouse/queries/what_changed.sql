-- What changed since yesterday? Reviews added by the latest run, compared with all earlier ones. Grain: what.
WITH marked AS (
    SELECT i.*, r.run_id IS NOT DISTINCT FROM (SELECT max(run_id) FROM runs WHERE status = 'done') AS fresh
    FROM insights_in($business, $product, $language, $since, $until) i JOIN reviews r USING (review_id)
), counts AS (
    SELECT 'reviews' AS what, NULL::BIGINT AS new, NULL::BIGINT AS before WHERE false
    UNION ALL SELECT 'reviews', count(*) FILTER (fresh), count(*) FILTER (NOT fresh) FROM marked
    UNION ALL SELECT 'negative', count(*) FILTER (fresh), count(*) FILTER (NOT fresh) FROM marked WHERE sentiment = 'negative'
    UNION ALL SELECT 'complaint: ' || theme, count(*) FILTER (fresh), count(*) FILTER (NOT fresh)
    FROM complaints JOIN marked USING (review_id) GROUP BY theme
)
SELECT what, new, before, new / nullif(of_new, 0) AS share_new, before / nullif(of_before, 0) AS share_before,
       newcombe_low(new, nullif(of_new, 0), before, nullif(of_before, 0)) AS change_low,
       newcombe_high(new, nullif(of_new, 0), before, nullif(of_before, 0)) AS change_high
FROM counts CROSS JOIN (SELECT new AS of_new, before AS of_before FROM counts WHERE what = 'reviews')
WHERE new > 0 OR what = 'reviews'
ORDER BY what <> 'reviews', what <> 'negative', new DESC, what LIMIT coalesce($limit, 20);
