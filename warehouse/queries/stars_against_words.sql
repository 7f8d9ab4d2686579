-- Where do words and stars disagree? Much praise with few stars, or the other way round. Grain: review_id.
SELECT review_id, business, stars, sentiment, sentiment_score, text FROM insights_in($business, $product, $language, $since, $until, $segment)
WHERE (stars <= 2 AND sentiment = 'positive') OR (stars >= 4 AND sentiment = 'negative')
ORDER BY abs(sentiment_score) DESC, review_id LIMIT coalesce($limit, 20);
