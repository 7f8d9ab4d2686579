-- Which themes does each unhappy review speak of, and where? Grain: review_id. Reply drafts are made from it.
SELECT review_id, list({'theme': theme, 'evidence': evidence, 'sentiment': t.sentiment, 'score': score}
                       ORDER BY score NULLS LAST, theme) AS themes
FROM themes t JOIN insights_in($business, $product, $language, $since, $until) i USING (review_id)
WHERE (i.sentiment = 'negative' OR i.stars <= 2) AND t.sentiment IN ('negative', 'positive')
GROUP BY review_id ORDER BY review_id LIMIT $limit;
