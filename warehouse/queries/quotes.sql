-- The clearest evidence of each negative theme, at most two of a business. Grain: review_id, theme.
SELECT t.theme, t.evidence, r.business, r.reviewed_at::DATE AS day, r.stars, r.review_id
FROM themes t JOIN reviews r USING (review_id)
WHERE t.sentiment = 'negative'
QUALIFY row_number() OVER (PARTITION BY t.theme, r.business ORDER BY t.score, r.review_id) = 1
ORDER BY t.theme, t.score, r.review_id;
