-- The problems that complaints are compared with, and their remedies. Grain: problem.
CREATE OR REPLACE VIEW problems AS
SELECT p.* FROM store.problems p
JOIN store.current c ON c.stage = 'themes' AND c.fingerprint = p.fingerprint;
