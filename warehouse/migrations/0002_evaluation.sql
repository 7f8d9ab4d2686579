-- What tells a text metric that it is being gamed, and what was not read. All describe one candidate text.
ALTER TABLE store.score ADD COLUMN prompt_echo DOUBLE;      -- share of the prompt's word 4-grams that the raw output repeats
ALTER TABLE store.score ADD COLUMN copied_share DOUBLE;     -- share of the text's word 4-grams that stand in the review
ALTER TABLE store.score ADD COLUMN repetition DOUBLE;       -- share of the text's word 4-grams that it used before
ALTER TABLE store.score ADD COLUMN length_ratio DOUBLE;     -- words per word of the teacher's text; NULL for the teacher
ALTER TABLE store.score ADD COLUMN unfinished BOOLEAN;      -- stops in mid-sentence, or is empty
ALTER TABLE store.score ADD COLUMN wrong_language BOOLEAN;  -- not in English, the prompts' language; NULL when not sure
ALTER TABLE store.score ADD COLUMN bleurt_cut BOOLEAN;      -- the pair did not fit into BLEURT's window: its ends were not read
ALTER TABLE store.score ADD COLUMN bertscore_cut BOOLEAN;   -- the same for BERTScore
ALTER TABLE store.score ADD COLUMN judge DOUBLE;            -- 1 the judge prefers it to the teacher's text, 0.5 tie, 0 the teacher's
ALTER TABLE store.score ADD COLUMN judge_reason VARCHAR;    -- the judge's own words, both orders
ALTER TABLE store.score ADD COLUMN judge_error VARCHAR;     -- why there is no verdict

-- Whether the judging model was trained on this review or a near-duplicate: agreement with its stars then proves nothing.
ALTER TABLE store.sentiment ADD COLUMN trained_on BOOLEAN;  -- NULL: nobody knows what the model was trained on

ALTER TABLE metrics ADD COLUMN settings VARCHAR;            -- what a value depends on besides its model, such as bert-score's hash

-- The student against every other text of the same test reviews, by paired bootstrap. Grain: run_id, role, other, metric.
CREATE TABLE comparisons (
    run_id     VARCHAR NOT NULL,
    role       VARCHAR NOT NULL,          -- the tuned student
    other      VARCHAR NOT NULL,          -- what it is compared with: the base student or a control
    metric     VARCHAR NOT NULL,
    n          BIGINT NOT NULL,           -- reviews that have both
    mean       DOUBLE, other_mean DOUBLE,
    difference DOUBLE, ci_low DOUBLE, ci_high DOUBLE,  -- mean of role minus other, with its 95 % interval
    PRIMARY KEY (run_id, role, other, metric)
);
