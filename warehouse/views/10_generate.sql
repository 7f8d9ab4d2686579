-- The current version of generate. Grain: see migrations; written by the stage of that name.
CREATE OR REPLACE VIEW generate AS
SELECT t.* FROM store.generate t JOIN store.current c ON c.stage = 'generate' AND c.fingerprint = t.fingerprint;
