-- Which themes does each unhappy review without an answer mention, and where? Grain: review_id. Reply drafts are made from it.
SELECT review_id, any_value(split_part(r.native_id, ':', 1)) AS platform,
       list_sort(list({'score': score, 'theme': theme, 'evidence': evidence, 'sentiment': t.sentiment})
                     FILTER (t.sentiment IN ('negative', 'positive'))) AS themes
FROM insights_in($business, $product, $language, $since, $until, $segment) i JOIN reviews r USING (review_id) LEFT JOIN themes t USING (review_id)
WHERE NOT i.rating_only AND i.owner_reply IS NULL AND needs_reply(i.sentiment, i.stars)
GROUP BY review_id ORDER BY review_id LIMIT $limit;
