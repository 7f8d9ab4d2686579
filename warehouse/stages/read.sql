-- Reviews that were not read under this fingerprint. Grain: review_id.
SELECT review_id, text, language FROM reviews
ANTI JOIN (SELECT review_id FROM store.read WHERE fingerprint = $fingerprint) USING (review_id)
WHERE NOT rating_only AND blanked_at IS NULL
ORDER BY review_id;
