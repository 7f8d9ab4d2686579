-- The themes that each review mentions; a review without themes has no row. Grain: review_id, theme.
CREATE OR REPLACE VIEW themes AS
SELECT t.* FROM store.themes t JOIN store.current c ON c.stage = 'themes' AND c.fingerprint = t.fingerprint
SEMI JOIN reviews USING (review_id)
WHERE t.theme <> '';
