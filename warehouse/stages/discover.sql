-- Reviews that are not plainly happy and were not yet searched for themes outside the taxonomy, as they were read.
-- Grain: review_id.
SELECT r.review_id, r.text, r.language, d.sentences
FROM reviews r LEFT JOIN sentiment s USING (review_id) LEFT JOIN read d USING (review_id)
ANTI JOIN (SELECT review_id FROM store.discover WHERE fingerprint = $fingerprint) done ON done.review_id = r.review_id
WHERE NOT r.rating_only AND r.blanked_at IS NULL AND NOT is_plainly_happy(s.label, r.stars)
ORDER BY r.review_id;
