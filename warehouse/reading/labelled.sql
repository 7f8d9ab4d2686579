-- The latest reviews that were read, and what customers say of them by a label or stars, the newest last. Grain: review_id.
FROM (
SELECT r.review_id, r.language, r.label, r.stars, v.place, d.sentiment AS words, d.vector, coalesce(s.trained_on, false) AS known
FROM reviews r JOIN read d USING (review_id) LEFT JOIN sentiment s USING (review_id)
JOIN (SELECT review_id, max(place) AS place FROM store.reviews WHERE current GROUP BY ALL) v USING (review_id)
WHERE NOT r.rating_only AND d.vector IS NOT NULL AND len(d.sentiment) = 3
ORDER BY v.place DESC LIMIT $latest
) ORDER BY place;
