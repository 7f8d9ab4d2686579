-- How did each candidate text score against the teacher's? Grain: review_id, role.
SELECT review_id, role, bleurt, bertscore_f1, meteor, grounding FROM scores ORDER BY role, review_id LIMIT coalesce($limit, 5000);
