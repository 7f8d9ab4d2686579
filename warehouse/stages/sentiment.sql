-- Reviews without a sentiment under this fingerprint, as they were read. Grain: review_id.
SELECT r.review_id, r.text, r.language, r.stars, d.sentiment AS words, d.vector FROM reviews r LEFT JOIN read d USING (review_id)
ANTI JOIN (SELECT review_id FROM store.sentiment WHERE fingerprint = $fingerprint) done ON done.review_id = r.review_id
WHERE NOT r.rating_only AND r.blanked_at IS NULL
ORDER BY r.review_id;
