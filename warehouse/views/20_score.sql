-- Each candidate against the teacher's text of the same test review. Grain: review_id, role.
CREATE OR REPLACE VIEW scores AS
SELECT t.* FROM store.score t JOIN store.current c ON c.stage = 'score' AND c.fingerprint = t.fingerprint
SEMI JOIN reviews USING (review_id);
