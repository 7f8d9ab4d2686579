-- Reviews without a row of themes under this fingerprint, as they were read. Grain: review_id.
SELECT r.review_id, r.text, r.language, r.stars, r.source, r.business, r.liked, r.disliked, r.attributes, d.sentences
FROM reviews r LEFT JOIN read d USING (review_id)
ANTI JOIN (SELECT review_id FROM store.themes WHERE fingerprint = $fingerprint) done ON done.review_id = r.review_id
WHERE NOT r.rating_only AND r.blanked_at IS NULL
ORDER BY r.review_id;
