-- The frozen reviews of the current student, each with its split. Grain: review_id.
CREATE OR REPLACE VIEW training_set AS
SELECT t.* FROM store.training_set t JOIN store.current c ON c.stage = 'distill' AND c.fingerprint = t.fingerprint;
