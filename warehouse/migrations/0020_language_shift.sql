-- How much higher or lower the sentiment model scores a language than the others on the same texts, and what takes that away:
-- what `calibrate --parallel` wrote, as the last run's profile names it. Empty: languages are compared as they are judged.
-- Grain: language; one that was measured and is not clearly off has biases of 0.
CREATE TABLE language_shift (
    language VARCHAR NOT NULL,
    n        BIGINT NOT NULL,                                                -- texts that it was measured on
    shift    DOUBLE NOT NULL, low DOUBLE NOT NULL, high DOUBLE NOT NULL,     -- of the score (positive minus negative), with its 95 % interval
    negative DOUBLE NOT NULL, neutral DOUBLE NOT NULL, positive DOUBLE NOT NULL  -- added to the classes' logits where languages are compared
);
