-- What language models were asked, per stage of a run, answers that were of no use included. Grain: run_id, stage, model.
CREATE TABLE store.usage (
    run_id VARCHAR NOT NULL, stage VARCHAR NOT NULL, model VARCHAR NOT NULL,
    requests          BIGINT NOT NULL,  -- of those whose tokens were counted; a server may not say
    prompt_characters BIGINT NOT NULL,  -- what --estimate learns the tokens of a character from
    prompt_tokens     BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    cost              DOUBLE,           -- in the currency of the profile's prices; NULL: it has none
    PRIMARY KEY (run_id, stage, model)
);

-- Why a student's text is doubted, as for feedback: see pipeline/backends/suspicion.py.
ALTER TABLE store.generate ADD COLUMN faults VARCHAR[];
