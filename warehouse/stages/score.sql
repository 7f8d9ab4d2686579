-- Candidates of the test split without scores, those of a review together: they share its reference. Grain: review_id, role.
SELECT f.review_id, f.role, f.text AS candidate, f.raw_output, s.prompt, t.text AS reference, r.text AS review
FROM feedback f
JOIN training_set s ON s.review_id = f.review_id AND s.split = 'test'
JOIN feedback t ON t.review_id = f.review_id AND t.role = 'teacher' AND t.error IS NULL
JOIN reviews r ON r.review_id = f.review_id
ANTI JOIN (SELECT review_id, role FROM store.score WHERE fingerprint = $fingerprint) done
    ON done.review_id = f.review_id AND done.role = f.role
WHERE r.blanked_at IS NULL
ORDER BY f.review_id, f.role;
