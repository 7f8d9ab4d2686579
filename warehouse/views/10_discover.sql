-- Unhappy clauses outside the playbook; `theme` is '' where they belong to no discovered theme. Grain: review_id, place. A
-- review without such a clause has one row, at place -1, with the reason if it could not be read.
CREATE OR REPLACE VIEW discover AS
SELECT t.* EXCLUDE (vector) FROM store.discover t
JOIN store.current c ON c.stage = 'discover' AND c.fingerprint = t.fingerprint;
