-- Missing texts, once there is a student: base, tuned student and controls for the test split, and the tuned
-- student for unhappy reviews outside the training set. Grain: review_id, role.
WITH wanted AS (
    SELECT review_id, role
    FROM (SELECT review_id FROM training_set WHERE split = 'test')
    CROSS JOIN (SELECT unnest($roles) AS role)
    UNION ALL
    (SELECT review_id, 'student' FROM unhappy_among('reviews', $max_stars)
     ANTI JOIN training_set USING (review_id)
     WHERE EXISTS (SELECT 1 FROM training_set)
     ORDER BY review_id LIMIT CASE WHEN $new_reviews = 0 THEN 9223372036854775807 ELSE $new_reviews END)
), pending AS MATERIALIZED (
    SELECT review_id, role FROM wanted SEMI JOIN unhappy_among('reviews', $max_stars) USING (review_id)
    ANTI JOIN (SELECT review_id, role FROM store.generate WHERE fingerprint = $fingerprint) USING (review_id, role)
    WHERE $has_student AND EXISTS (SELECT 1 FROM distill WHERE error IS NULL)
)
SELECT u.* EXCLUDE (blanked_at), p.role
FROM pending p JOIN described('pending') u USING (review_id)
WHERE u.blanked_at IS NULL
ORDER BY p.role, p.review_id;
