-- Where do words and stars disagree? Much praise with few stars, or the other way round. Grain: review_id.
WITH chosen AS (
    SELECT review_id, abs(sentiment_score) AS strength FROM findings_in($business, $product, $language, $since, $until, $segment)
    WHERE (stars <= 2 AND text_sentiment = 'positive') OR (stars >= 4 AND text_sentiment = 'negative')
    ORDER BY strength DESC, review_id LIMIT coalesce($limit, 20)
)
SELECT review_id, business, stars, text_sentiment, sentiment, sentiment_score, text FROM insights JOIN chosen USING (review_id)
ORDER BY strength DESC, review_id;
