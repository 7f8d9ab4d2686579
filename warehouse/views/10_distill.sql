-- The training rounds of the current student. Grain: round.
CREATE OR REPLACE VIEW distill AS
SELECT t.* FROM store.distill t JOIN store.current c ON c.stage = 'distill' AND c.fingerprint = t.fingerprint;
