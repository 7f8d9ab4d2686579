-- Unhappy reviews that the teacher has not written for. Grain: review_id.
-- A limit takes the first review_ids, which are hashes: a random sample that stays the same.
WITH chosen AS (
    SELECT review_id FROM unhappy_among('candidates', $max_stars) WHERE $max_reviews = 0
    UNION ALL
    (SELECT review_id FROM unhappy_among('reviews', $max_stars) WHERE $max_reviews > 0 ORDER BY review_id LIMIT $max_reviews)
), pending AS MATERIALIZED (
    SELECT review_id FROM chosen
    ANTI JOIN (SELECT review_id FROM store.feedback WHERE fingerprint = $fingerprint) USING (review_id)
)
SELECT * EXCLUDE (blanked_at) FROM described('pending')
WHERE blanked_at IS NULL  -- nothing can be written about a text that is gone
ORDER BY review_id;
