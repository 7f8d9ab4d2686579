-- What the reader makes of each review, once: raw probabilities, from which the stages after it decide.
-- Grain: review_id, fingerprint.
CREATE TABLE store.read (
    review_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    model     VARCHAR NOT NULL,
    stars     FLOAT[],                     -- probabilities of one to five stars, by the words
    sentiment FLOAT[],                     -- of negative, neutral, positive
    emotions  FLOAT[],                     -- of the 28 GoEmotions labels, in their order, each by itself
    vector    BLOB,                        -- of the review: 384 float16, unit length
    -- In order of the text. start and end are characters of reviews.text, counted from 0. themes: those with a
    -- probability of 3 % or more, what is said about them, and the shortest piece of the sentence that says so.
    sentences STRUCT(
        "start" INTEGER, "end" INTEGER, negative FLOAT, neutral FLOAT, positive FLOAT, wish FLOAT, vector BLOB,
        themes STRUCT(theme VARCHAR, probability FLOAT, negative FLOAT, neutral FLOAT, positive FLOAT, "start" INTEGER, "end" INTEGER)[]
    )[],
    error     VARCHAR,
    PRIMARY KEY (review_id, fingerprint)
);

-- How many reviews of a source, and of a business in it, speak of a theme: the sum of their probabilities. business: '' for
-- the source as a whole. Grain: source, business, theme, fingerprint (of the stage `read`).
CREATE TABLE store.theme_share (
    source VARCHAR NOT NULL, business VARCHAR NOT NULL, theme VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    total DOUBLE NOT NULL, reviews BIGINT NOT NULL,
    PRIMARY KEY (source, business, theme, fingerprint)
);

-- What the words alone say, without the stars: `label` and its probabilities weigh both.
ALTER TABLE store.sentiment ADD COLUMN text_label VARCHAR;
ALTER TABLE store.sentiment ADD COLUMN text_negative FLOAT;
ALTER TABLE store.sentiment ADD COLUMN text_neutral FLOAT;
ALTER TABLE store.sentiment ADD COLUMN text_positive FLOAT;

-- How sure the evidence makes us.
ALTER TABLE store.themes ADD COLUMN probability FLOAT;
