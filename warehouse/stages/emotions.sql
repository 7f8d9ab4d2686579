-- Reviews without emotions under this fingerprint. Grain: review_id.
SELECT review_id, text, language FROM reviews
ANTI JOIN (SELECT review_id FROM store.emotions WHERE fingerprint = $fingerprint) USING (review_id)
WHERE NOT rating_only
ORDER BY review_id;
