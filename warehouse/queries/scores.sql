-- How did each candidate text score against the teacher's? Grain: review_id, role.
SELECT * EXCLUDE (fingerprint, run_id) FROM scores ORDER BY role, review_id LIMIT coalesce($limit, 5000);
