-- The current version of distill. Grain: see migrations; written by the stage of that name.
CREATE OR REPLACE VIEW distill AS
SELECT t.* FROM store.distill t JOIN store.current c ON c.stage = 'distill' AND c.fingerprint = t.fingerprint;
