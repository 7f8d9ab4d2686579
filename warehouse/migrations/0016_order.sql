-- In which order runs began, whatever the clock said: `latest` means the highest number.
ALTER TABLE runs ADD COLUMN number BIGINT;
UPDATE runs SET number = place
FROM (SELECT run_id AS numbered, row_number() OVER (ORDER BY started_at, run_id) AS place FROM runs) WHERE run_id = numbered;

-- What an adapter's files were when it was trained: sha256 over their names and contents.
ALTER TABLE store.distill ADD COLUMN adapter_sha256 VARCHAR;
