-- Every review as each source gives it, in all its versions. Grain: place. The view `reviews` shows the current ones.
CREATE TABLE store.reviews (
    place       BIGINT NOT NULL,           -- counts the versions in the order in which they came
    review_id   VARCHAR NOT NULL,          -- a hash of the platform's own id and the text; without an id of what the customer wrote
    source      VARCHAR NOT NULL,          -- the file or data set it came from, as it was named
    source_row  BIGINT NOT NULL,           -- its record in that source, counted from 1, header not counted
    text        VARCHAR NOT NULL,          -- repaired, title joined in front
    liked       VARCHAR,                   -- the part of the text that says what was liked, where the source asks for both
    disliked    VARCHAR,                   -- and what was not
    language    VARCHAR,                   -- ISO 639-1; NULL when the detector is not sure
    stars       DOUBLE,                    -- 1 to 5, or NULL
    label       VARCHAR,                   -- negative, neutral or positive where the source itself says so
    rating_only BOOLEAN NOT NULL,          -- stars or a label without words
    reviewed_at TIMESTAMP,
    business    VARCHAR,
    product     VARCHAR,
    author      VARCHAR,                   -- salted hash of the reviewer's name
    reply       VARCHAR,                   -- what the owner answered
    replied_at  TIMESTAMP,
    attributes  MAP(VARCHAR, VARCHAR),     -- further columns of the source: country, app version, traveller type ...
    native_id   VARCHAR,                   -- platform:id where the source has ids of its own
    ingested_at TIMESTAMP NOT NULL,
    run_id      VARCHAR NOT NULL,
    retired_at  TIMESTAMP,                 -- when a later reading of the source no longer gave it; NULL: it still does
    current     BOOLEAN NOT NULL,          -- shown in the view: not retired, and no other source has it first
    CHECK (stars BETWEEN 1 AND 5)
);
INSERT INTO store.reviews BY NAME
SELECT *, row_number() OVER (ORDER BY ingested_at, source, source_row) AS place, false AS rating_only, true AS current FROM reviews;
DROP TABLE reviews;

-- The bundled sample has a name of its own now, wherever the package is installed.
UPDATE store.reviews SET source = 'sample' WHERE source LIKE '%pipeline/samples/reviews.csv';
UPDATE rejects SET source = 'sample' WHERE source LIKE '%pipeline/samples/reviews.csv';

-- The source of the review that a duplicate repeats.
ALTER TABLE rejects ADD COLUMN kept_source VARCHAR;
UPDATE rejects SET kept_source = r.source FROM store.reviews r WHERE r.review_id = rejects.review_id;

-- How each source was understood, at each reading. Grain: source, run_id. The view `sources` shows the latest.
CREATE TABLE store.sources (
    source       VARCHAR NOT NULL,         -- as it was named
    run_id       VARCHAR NOT NULL,
    read_at      TIMESTAMP NOT NULL,
    content_hash VARCHAR NOT NULL,         -- sha256 of the file
    spec_hash    VARCHAR NOT NULL,         -- column mapping, options and the version of the reader
    rows         BIGINT NOT NULL,          -- records; of an appended source, of all its readings
    added        BIGINT NOT NULL,          -- reviews that were new to this source
    withdrawn    BIGINT NOT NULL,          -- reviews that it had and no longer has
    export       VARCHAR,                  -- the known export that its columns give away
    layouts      JSON NOT NULL,            -- encoding, delimiter, header_line and part, of each part
    fields       JSON NOT NULL,            -- field, column, samples, filled and understood (counts), of each field
    attributes   VARCHAR[] NOT NULL,       -- columns kept in reviews.attributes
    unused       VARCHAR[] NOT NULL,       -- columns not used
    decisions    JSON NOT NULL,            -- date styles, star scale, label words and main language, for the next reading
    notes        VARCHAR[] NOT NULL,       -- what people should know about the reading
    PRIMARY KEY (source, run_id)
);
INSERT INTO store.sources BY NAME
SELECT CASE WHEN source LIKE '%pipeline/samples/reviews.csv' THEN 'sample' ELSE source END AS source, run_id,
       coalesce(started_at, TIMESTAMP '1970-01-01') AS read_at, content_hash, spec_hash, rows, added, 0 AS withdrawn,
       '[]' AS layouts, '[]' AS fields, [] AS attributes, [] AS unused, '{}' AS decisions, [] AS notes
FROM ingests i LEFT JOIN runs USING (run_id)
QUALIFY row_number() OVER (PARTITION BY CASE WHEN i.source LIKE '%pipeline/samples/reviews.csv' THEN 'sample' ELSE i.source END, run_id) = 1;
DROP TABLE ingests;
