-- Negative sentences that speak of no known theme; `theme` is '' for those without a discovered one. A review without any
-- has one row, at place -1, with the error if it could not be read. Grain: review_id, place.
CREATE OR REPLACE VIEW discover AS
SELECT t.* EXCLUDE (vector) FROM store.discover t
JOIN store.current c ON c.stage = 'discover' AND c.fingerprint = t.fingerprint
SEMI JOIN reviews USING (review_id);
