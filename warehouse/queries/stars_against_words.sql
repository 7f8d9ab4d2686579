-- Where do words and stars disagree? Much praise with few stars, or the other way round. Grain: review_id.
SELECT review_id, business, stars, text_sentiment, sentiment, sentiment_score, text FROM insights_in($business, $product, $language, $since, $until, $segment)
WHERE (stars <= 2 AND text_sentiment = 'positive') OR (stars >= 4 AND text_sentiment = 'negative')
ORDER BY abs(sentiment_score) DESC, review_id LIMIT coalesce($limit, 20);
