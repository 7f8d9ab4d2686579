-- What a run keeps of the views `findings` and `mentions`, so that questions need no join. Grain: review_id; review_id, theme.
CREATE TABLE store.findings (
    review_id VARCHAR NOT NULL, source VARCHAR NOT NULL, business VARCHAR, product VARCHAR, reviewed_at TIMESTAMP, language VARCHAR,
    stars DOUBLE, text VARCHAR NOT NULL, sentiment VARCHAR, sentiment_score FLOAT, emotions VARCHAR[], themes VARCHAR[],
    feedback VARCHAR, suggestions VARCHAR[], feedback_role VARCHAR, feedback_model VARCHAR,
    rating_only BOOLEAN NOT NULL, owner_reply VARCHAR, replied_at TIMESTAMP, attributes MAP(VARCHAR, VARCHAR), text_sentiment VARCHAR,
    advised BOOLEAN NOT NULL, answered BOOLEAN NOT NULL, has_text BOOLEAN NOT NULL, words BIGINT, platform VARCHAR, run_id VARCHAR NOT NULL, label VARCHAR,
    trained_on BOOLEAN NOT NULL,
    negative_probability FLOAT, neutral_probability FLOAT, positive_probability FLOAT
);
CREATE TABLE store.mentions (
    review_id VARCHAR NOT NULL, theme VARCHAR NOT NULL, sentiment VARCHAR, evidence VARCHAR, score FLOAT, probability FLOAT,
    problem VARCHAR, problem_probability FLOAT, complains BOOLEAN, severity DOUBLE,
    business VARCHAR, product VARCHAR, language VARCHAR, stars DOUBLE, reviewed_at TIMESTAMP, attributes MAP(VARCHAR, VARCHAR),
    rating_only BOOLEAN NOT NULL, run_id VARCHAR NOT NULL
);

-- Reviews whose kept rows are out of date. Grain: none.
CREATE TABLE store.changed (review_id VARCHAR NOT NULL);

-- What the kept rows were made from: the fingerprints of the stages, and whether the student's text is shown. Grain: one row, or none.
CREATE TABLE store.kept (made_from VARCHAR NOT NULL);

-- Stages that had left nothing pending when store.changed was last emptied: only the reviews in there can be now. `version`: the
-- stage's fingerprint and its query's parameters. Grain: stage.
CREATE TABLE store.settled (stage VARCHAR PRIMARY KEY, version VARCHAR NOT NULL, run_id VARCHAR NOT NULL);

-- What store.theme_share has counted of each review, to be taken off when it changes. Of one fingerprint. Grain: review_id, theme.
CREATE TABLE store.counted (
    review_id VARCHAR NOT NULL, source VARCHAR NOT NULL, business VARCHAR, theme VARCHAR NOT NULL, probability DECIMAL(9, 4) NOT NULL
);

-- Without their primary keys: DuckDB writes much of a key's index anew for each night's rows, however few they are (of 300,000
-- readings 96 MB for 1,000 new ones). A stage's query finds the rows that are missing, and an audit any that came twice.
CREATE TABLE store.keyless AS FROM store.read;
DROP TABLE store.read;
ALTER TABLE store.keyless RENAME TO read;
CREATE TABLE store.keyless AS FROM store.sentiment;
DROP TABLE store.sentiment;
ALTER TABLE store.keyless RENAME TO sentiment;
CREATE TABLE store.keyless AS FROM store.emotions;
DROP TABLE store.emotions;
ALTER TABLE store.keyless RENAME TO emotions;
CREATE TABLE store.keyless AS FROM store.themes;
DROP TABLE store.themes;
ALTER TABLE store.keyless RENAME TO themes;
CREATE TABLE store.keyless AS FROM store.discover;
DROP TABLE store.discover;
ALTER TABLE store.keyless RENAME TO discover;
CREATE TABLE store.keyless AS FROM store.feedback;
DROP TABLE store.feedback;
ALTER TABLE store.keyless RENAME TO feedback;
CREATE TABLE store.keyless AS FROM store.generate;
DROP TABLE store.generate;
ALTER TABLE store.keyless RENAME TO generate;
CREATE TABLE store.keyless AS FROM store.score;
DROP TABLE store.score;
ALTER TABLE store.keyless RENAME TO score;
