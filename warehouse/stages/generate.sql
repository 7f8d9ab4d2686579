-- Missing texts, once there is a student: base, tuned student and controls for the test split, and the tuned
-- student for unhappy reviews outside the training set. Grain: review_id, role.
WITH wanted AS (
    SELECT review_id, role
    FROM (SELECT review_id FROM training_set WHERE split = 'test')
    CROSS JOIN (SELECT unnest($roles) AS role)
    UNION ALL
    (SELECT review_id, 'student' FROM unhappy($max_stars)
     ANTI JOIN training_set USING (review_id)
     WHERE EXISTS (SELECT 1 FROM training_set)
     ORDER BY review_id LIMIT CASE WHEN $new_reviews = 0 THEN 9223372036854775807 ELSE $new_reviews END)
)
SELECT u.* EXCLUDE (blanked_at), w.role
FROM wanted w
JOIN unhappy($max_stars) u USING (review_id)
ANTI JOIN (SELECT review_id, role FROM store.generate WHERE fingerprint = $fingerprint) done
    ON done.review_id = w.review_id AND done.role = w.role
WHERE u.blanked_at IS NULL AND $has_student AND EXISTS (SELECT 1 FROM distill WHERE error IS NULL)
ORDER BY w.role, w.review_id;
