-- Removes what find.sql found from the tables that are not keyed by review alone; settle.sql and recompute.sql follow.
CREATE OR REPLACE TEMP TABLE before AS
SELECT review_id, hash(text, liked, disliked, language, stars, label, business, product) AS content
FROM reviews WHERE review_id IN (SELECT review_id FROM going);
CREATE OR REPLACE TEMP TABLE touched AS SELECT review_id, native_id FROM going;
DELETE FROM store.kept;

-- Customers of a source who wrote the same share their ids, and may swap them at the next reading: then the author tells.
CREATE OR REPLACE TEMP TABLE same AS
SELECT g.review_id, g.author, o.review_id AS either_id
FROM going g JOIN store.reviews o ON o.source = g.source AND o.text = g.text AND o.author <> g.author
WHERE g.by_name AND g.native_id IS NULL AND o.native_id IS NULL AND g.blanked_at IS NULL AND o.blanked_at IS NULL
  AND (o.stars, o.reviewed_at, o.business, o.product) IS NOT DISTINCT FROM (g.stars, g.reviewed_at, g.business, g.product)
  AND o.place NOT IN (SELECT place FROM going);

INSERT INTO store.forgotten BY NAME
SELECT DISTINCT unnest([review_id, either_id]) AS review_id, author, (SELECT max(asked_at) FROM wanted) AS forgotten_at FROM same;
INSERT INTO store.forgotten BY NAME
SELECT DISTINCT review_id, native_id, (SELECT max(asked_at) FROM wanted) AS forgotten_at FROM going
WHERE by_name AND review_id NOT IN (SELECT review_id FROM same);
INSERT INTO store.forgotten BY NAME
SELECT author, asked_at AS forgotten_at FROM wanted
WHERE author IS NOT NULL AND author NOT IN (SELECT author FROM store.forgotten WHERE review_id IS NULL);

DELETE FROM store.reviews WHERE place IN (SELECT place FROM going);
DELETE FROM rejects WHERE source IN (SELECT source FROM wanted);
DELETE FROM store.sources WHERE source IN (SELECT source FROM wanted);
DELETE FROM store.theme_share WHERE source IN (SELECT source FROM wanted);

-- The records of sources that stay still add up: each is a reject without words now.
UPDATE rejects SET reason = 'forgotten', raw = NULL, review_id = NULL, kept_source = NULL
WHERE reject_id IN (SELECT reject_id FROM authored)
   OR (kept_source = source AND review_id IN (SELECT review_id FROM store.forgotten));
INSERT INTO rejects BY NAME
SELECT 'forgotten-' || left(md5(source || '#' || place), 16) AS reject_id, source, source_row, 'forgotten' AS reason, run_id
FROM going WHERE by_name AND retired_at IS NULL AND NOT with_source;

DELETE FROM store.score WHERE (review_id, role) IN (SELECT (review_id, role) FROM borrowed);
DELETE FROM store.generate WHERE (review_id, role) IN (SELECT (review_id, role) FROM borrowed);

-- The message of a failed run may quote a review.
UPDATE runs SET error = 'removed when reviews were forgotten' WHERE error IS NOT NULL;
