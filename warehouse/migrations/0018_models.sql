-- The decisions of `retrain`: each challenger of the sentiment head against the champion on rows that neither was fitted on, and
-- each roll back. Grain: run_id (of kind `retrain` in `runs`).
CREATE TABLE models (
    run_id      VARCHAR PRIMARY KEY,
    decision    VARCHAR NOT NULL,   -- promoted, kept (the champion), rolled back
    model       VARCHAR NOT NULL,   -- the challenger, or what is used again: the hash of a head; '' the reader alone
    champion    VARCHAR NOT NULL,   -- what was in use until then
    why         VARCHAR NOT NULL,   -- what set it off, and what decided
    reader      VARCHAR NOT NULL,   -- the weights that the head stands on
    seen        BIGINT NOT NULL,    -- store.reviews.place of the newest review that it knew
    labels      BIGINT NOT NULL, new_labels BIGINT NOT NULL, corrections BIGINT NOT NULL,
    -- The share that is right of all rows held out, the new ones and each language, F1 of each class; differences with their 95 %
    -- intervals (paired bootstrap).
    gains       STRUCT(rows VARCHAR, n BIGINT, champion DOUBLE, challenger DOUBLE, gain DOUBLE, ci_low DOUBLE, ci_high DOUBLE)[] NOT NULL,
    head        JSON                -- the weights, if they were promoted
);
