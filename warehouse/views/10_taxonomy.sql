-- The label of every theme of the taxonomy in use. Grain: theme.
CREATE OR REPLACE VIEW taxonomy AS
SELECT t.* FROM store.taxonomy t
JOIN store.current c ON c.stage = 'themes' AND c.fingerprint = t.fingerprint;
