-- Which themes does each review speak of, and where? Grain: review_id. For reply drafts.
SELECT review_id, list({'theme': theme, 'evidence': evidence, 'sentiment': t.sentiment, 'score': score}
                       ORDER BY score NULLS LAST, theme) AS themes
FROM themes t JOIN reviews_in($business, $product, $language, $since, $until) r USING (review_id)
GROUP BY review_id ORDER BY review_id LIMIT $limit;
