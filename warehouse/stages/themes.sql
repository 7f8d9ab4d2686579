-- Reviews without a row of themes under this fingerprint. Grain: review_id.
SELECT review_id, text, language, stars FROM reviews
ANTI JOIN (SELECT review_id FROM store.themes WHERE fingerprint = $fingerprint) USING (review_id)
WHERE NOT rating_only
ORDER BY review_id;
