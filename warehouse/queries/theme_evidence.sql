-- Which themes does each unhappy review without an answer mention, and where? Grain: review_id. Reply drafts are made from it.
-- $limit: the newest.
WITH chosen AS (
    SELECT review_id, platform FROM findings_in($business, $product, $language, $since, $until, $segment)
    WHERE NOT rating_only AND NOT answered AND needs_reply(sentiment, stars)
    ORDER BY reviewed_at DESC NULLS LAST, review_id LIMIT $limit
)
SELECT review_id, any_value(platform) AS platform,
       list_sort(list({'score': score, 'theme': theme, 'evidence': evidence, 'sentiment': m.sentiment})
                     FILTER (m.sentiment IN ('negative', 'positive'))) AS themes
FROM chosen LEFT JOIN mentions m USING (review_id)
GROUP BY review_id ORDER BY review_id;
