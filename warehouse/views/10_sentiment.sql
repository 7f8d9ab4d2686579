-- The current version of sentiment. Grain: see migrations; written by the stage of that name.
CREATE OR REPLACE VIEW sentiment AS
SELECT t.* FROM store.sentiment t JOIN store.current c ON c.stage = 'sentiment' AND c.fingerprint = t.fingerprint;
