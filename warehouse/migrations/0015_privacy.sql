-- What models were not shown: kind (e-mail, phone, name, ...) -> values that a placeholder stood for. Never the values.
ALTER TABLE store.feedback ADD COLUMN masked MAP(VARCHAR, INTEGER);
ALTER TABLE store.score ADD COLUMN masked MAP(VARCHAR, INTEGER);

-- When the texts of a review were removed because they were kept long enough (`--keep-days`); what was found in them stays.
ALTER TABLE store.reviews ADD COLUMN blanked_at TIMESTAMP;
ALTER TABLE store.reviews ADD COLUMN words BIGINT;   -- of the text before
ALTER TABLE rejects ADD COLUMN read_at TIMESTAMP;           -- when the record was first read
ALTER TABLE rejects ADD COLUMN blanked_at TIMESTAMP;        -- when `raw` was removed for its age
