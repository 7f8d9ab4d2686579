-- The current version of emotions. Grain: see migrations; written by the stage of that name.
CREATE OR REPLACE VIEW emotions AS
SELECT t.* FROM store.emotions t JOIN store.current c ON c.stage = 'emotions' AND c.fingerprint = t.fingerprint;
