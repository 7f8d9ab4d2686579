-- Physical tables live in the schema `store` and hold every version of a row (one per key and fingerprint).
-- What people query are the views of the same names in `main`, which show the current version only.
CREATE SCHEMA store;

-- One row per invocation of `review-insights run`. Grain: run_id.
CREATE TABLE runs (
    run_id      VARCHAR PRIMARY KEY,
    started_at  TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    profile     VARCHAR NOT NULL,
    git_sha     VARCHAR,
    version     VARCHAR NOT NULL,
    status      VARCHAR NOT NULL,          -- running, done, failed, interrupted
    environment JSON,                      -- versions of Python, torch, transformers, ..., device
    stages      JSON,                      -- rows written, rows failed and seconds per stage
    error       VARCHAR
);

-- What makes each hash readable again. Grain: fingerprint.
CREATE TABLE fingerprint (
    fingerprint VARCHAR PRIMARY KEY,
    stage       VARCHAR NOT NULL,
    spec_json   JSON NOT NULL,
    parents     VARCHAR[] NOT NULL,
    created_at  TIMESTAMP NOT NULL
);

-- Which version of each stage the views show. Grain: stage.
CREATE TABLE store.current (
    stage       VARCHAR PRIMARY KEY,
    fingerprint VARCHAR NOT NULL
);

-- One row per accepted review. Grain: review_id, a hash of what the customer wrote (text, stars, date, business, product).
CREATE TABLE reviews (
    review_id   VARCHAR PRIMARY KEY,
    source      VARCHAR NOT NULL,          -- the file or data set it came from, as it was named
    source_row  BIGINT NOT NULL,           -- its record in that source, counted from 1, header not counted
    text        VARCHAR NOT NULL,          -- repaired, title joined in front
    language    VARCHAR,                   -- ISO 639-1; NULL when the detector is not sure
    stars       DOUBLE,                    -- 1 to 5, or NULL
    label       VARCHAR,                   -- negative, neutral or positive where the source itself says so
    reviewed_at TIMESTAMP,
    business    VARCHAR,
    product     VARCHAR,
    ingested_at TIMESTAMP NOT NULL,
    run_id      VARCHAR NOT NULL,
    CHECK (stars BETWEEN 1 AND 5)
);

-- One row per input record that did not become a review. Grain: reject_id (hash of source, reason, raw record, occurrence).
CREATE TABLE rejects (
    reject_id   VARCHAR PRIMARY KEY,
    source      VARCHAR NOT NULL,
    source_row  BIGINT,
    reason      VARCHAR NOT NULL,          -- 'duplicate' for repeats
    raw         VARCHAR,                   -- the record as it was read (JSON of its columns, or the broken line)
    review_id   VARCHAR,                   -- for duplicates: the review that was kept
    run_id      VARCHAR NOT NULL
);

-- One row per reading of a source. Grain: source, content_hash, spec_hash. rows = accepted + rejected + duplicates.
CREATE TABLE ingests (
    source       VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,         -- sha256 of the file
    spec_hash    VARCHAR NOT NULL,         -- column mapping, options and the version of the reader
    run_id       VARCHAR NOT NULL,
    rows         BIGINT NOT NULL,
    accepted     BIGINT NOT NULL,          -- of which `added` were new to the warehouse
    added        BIGINT NOT NULL,
    rejected     BIGINT NOT NULL,
    duplicates   BIGINT NOT NULL,
    columns      JSON,                     -- which column of the source filled which field
    PRIMARY KEY (source, content_hash, spec_hash)
);

-- Grain: review_id, fingerprint.
CREATE TABLE store.sentiment (
    review_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    label     VARCHAR,                     -- negative, neutral, positive; NULL when the model does not read the language
    negative  FLOAT, neutral FLOAT, positive FLOAT,
    model     VARCHAR NOT NULL,
    error     VARCHAR,
    PRIMARY KEY (review_id, fingerprint)
);

-- Grain: review_id, fingerprint.
CREATE TABLE store.emotions (
    review_id     VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    labels        VARCHAR[],               -- labels above their own thresholds, most probable first
    probabilities MAP(VARCHAR, FLOAT),     -- all 28, each its own sigmoid
    model         VARCHAR NOT NULL,
    error         VARCHAR,
    PRIMARY KEY (review_id, fingerprint)
);

-- Grain: review_id, theme, fingerprint. A review without a theme has one row whose theme is '' (it was read).
CREATE TABLE store.themes (
    review_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    theme     VARCHAR NOT NULL,
    evidence  VARCHAR,                     -- verbatim span of reviews.text
    sentiment VARCHAR,                     -- of the evidence: negative, neutral, positive or NULL
    score     FLOAT,                       -- positive minus negative probability of the evidence
    error     VARCHAR,
    PRIMARY KEY (review_id, theme, fingerprint)
);

-- The teacher's text. Grain: review_id, fingerprint.
CREATE TABLE store.feedback (
    review_id   VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    model       VARCHAR NOT NULL, role VARCHAR NOT NULL,
    text        VARCHAR,
    suggestions VARCHAR[],
    raw_output  VARCHAR,
    truncated   BOOLEAN,                   -- cut off by the token limit
    error       VARCHAR,
    PRIMARY KEY (review_id, fingerprint)
);

-- The frozen reviews that a student was trained, validated and tested on. Grain: review_id, fingerprint.
CREATE TABLE store.training_set (
    review_id  VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    split      VARCHAR NOT NULL,           -- train, validation, test
    round      INTEGER NOT NULL,
    prompt     VARCHAR NOT NULL,
    completion VARCHAR NOT NULL,
    PRIMARY KEY (review_id, fingerprint)
);

-- One row per training round. Grain: round, fingerprint.
CREATE TABLE store.distill (
    round       INTEGER NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    model       VARCHAR NOT NULL,          -- the base student
    adapter     VARCHAR,                   -- folder beside the warehouse file
    train_rows  BIGINT, validation_rows BIGINT, test_rows BIGINT,
    train_loss  DOUBLE, validation_loss DOUBLE, best_step BIGINT, seconds DOUBLE,
    error       VARCHAR,
    PRIMARY KEY (round, fingerprint)
);

-- Texts of the students and of the controls. Grain: review_id, role, fingerprint.
CREATE TABLE store.generate (
    review_id   VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    model       VARCHAR NOT NULL, role VARCHAR NOT NULL,
    text        VARCHAR,
    suggestions VARCHAR[],
    raw_output  VARCHAR,
    truncated   BOOLEAN,
    error       VARCHAR,
    PRIMARY KEY (review_id, role, fingerprint)
);

-- Grain: review_id, role, fingerprint. Each candidate against the teacher's text of the same review.
CREATE TABLE store.score (
    review_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    role      VARCHAR NOT NULL,
    bleurt    DOUBLE, bertscore_f1 DOUBLE, meteor DOUBLE,
    grounding DOUBLE,                      -- 1 / rank of the own review among 100 (reciprocal rank)
    error     VARCHAR,
    PRIMARY KEY (review_id, role, fingerprint)
);

-- Grain: run_id, role, metric. Written when a run ends; one run's numbers never change afterwards.
CREATE TABLE metrics (
    run_id VARCHAR NOT NULL, role VARCHAR NOT NULL, metric VARCHAR NOT NULL,
    n BIGINT NOT NULL, mean DOUBLE, ci_low DOUBLE, ci_high DOUBLE, median DOUBLE, std DOUBLE,
    min DOUBLE, p25 DOUBLE, p75 DOUBLE, max DOUBLE,
    model VARCHAR,                         -- what computed it: a checkpoint, or a named stand-in
    PRIMARY KEY (run_id, role, metric)
);
