-- What changed since yesterday? Reviews added by the latest run, compared with all earlier ones. Grain: what.
-- Shares are of the reviews with words; the row `reviews` counts ratings without words too.
WITH latest AS (
    SELECT (SELECT run_id FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY number DESC NULLS LAST, run_id DESC LIMIT 1) AS latest_run
), marked AS (
    SELECT sentiment, rating_only, run_id IS NOT DISTINCT FROM latest_run AS fresh FROM findings_in($business, $product, $language, $since, $until, $segment) CROSS JOIN latest
), counts AS (
    SELECT 'reviews' AS what, count(*) FILTER (fresh) AS new, count(*) FILTER (NOT fresh) AS before FROM marked
    UNION ALL SELECT 'negative', count(*) FILTER (fresh), count(*) FILTER (NOT fresh) FROM marked WHERE sentiment = 'negative'
    UNION ALL SELECT 'complaint: ' || theme, count(*) FILTER (fresh), count(*) FILTER (NOT fresh)
    FROM (SELECT theme, run_id IS NOT DISTINCT FROM latest_run AS fresh FROM complaints_in($business, $product, $language, $since, $until, $segment) CROSS JOIN latest) GROUP BY theme
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
