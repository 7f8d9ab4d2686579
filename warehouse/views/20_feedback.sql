-- Every text written for a review: the teacher's, the students' and the controls'. Grain: review_id, role.
CREATE OR REPLACE VIEW feedback AS
SELECT t.* FROM store.feedback t JOIN store.current c ON c.stage = 'feedback' AND c.fingerprint = t.fingerprint
SEMI JOIN reviews USING (review_id)
UNION ALL BY NAME
SELECT * FROM generate;
