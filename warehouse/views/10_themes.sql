-- What each review talks about. Grain: review_id, theme. Reviews without a theme have no row here.
CREATE OR REPLACE VIEW themes AS
SELECT t.* FROM store.themes t JOIN store.current c ON c.stage = 'themes' AND c.fingerprint = t.fingerprint
WHERE t.theme <> '';
