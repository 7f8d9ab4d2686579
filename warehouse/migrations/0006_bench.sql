-- What kind of run a row of `runs` is: `run` (the stages), or `finetune`, `compare`, `calibrate`, whose metrics stand
-- beside those of the stages and must not be taken for them.
ALTER TABLE runs ADD COLUMN kind VARCHAR DEFAULT 'run';

-- Probabilities before the per-language calibration; NULL where none was applied.
ALTER TABLE store.sentiment ADD COLUMN raw_negative FLOAT;
ALTER TABLE store.sentiment ADD COLUMN raw_neutral FLOAT;
ALTER TABLE store.sentiment ADD COLUMN raw_positive FLOAT;
