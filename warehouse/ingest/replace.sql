-- Puts what a source says now in the place of what it said before, and renews which reviews are current.
-- In: temp tables `reading` (one row: source, run_id, read_at, append), `incoming` (the reviews that were read; a review_id
-- stands in several rows where only authors tell customers apart, or nothing does and there are no words) and
-- `incoming_rejects`. Out: store.reviews, rejects, and temp table `changes` (added, withdrawn).

-- Customers who wrote the same get ids of their own, in an order that does not depend on the file's.
UPDATE incoming SET review_id = left(md5(incoming.review_id || '#' || numbered.number), 16)
FROM (
    SELECT source_row, row_number() OVER (
        PARTITION BY review_id ORDER BY attributes::VARCHAR, reply, replied_at, author, source_row
    ) AS number
    FROM incoming WHERE review_id IN (SELECT review_id FROM incoming GROUP BY review_id HAVING count(*) > 1)
) numbered
WHERE numbered.source_row = incoming.source_row AND number > 1;

-- What was forgotten does not come back, and none of its words are kept.
CREATE OR REPLACE TEMP TABLE refused AS
SELECT * FROM incoming
WHERE review_id IN (SELECT review_id FROM store.forgotten WHERE author IS NULL)
   OR (review_id, author) IN (SELECT (review_id, author) FROM store.forgotten WHERE author IS NOT NULL AND review_id IS NOT NULL)
   OR native_id IN (SELECT native_id FROM store.forgotten)
   OR author IN (SELECT author FROM store.forgotten WHERE review_id IS NULL);
DELETE FROM incoming WHERE source_row IN (SELECT source_row FROM refused);
UPDATE incoming_rejects SET reason = 'forgotten', raw = NULL, review_id = NULL, kept_source = NULL
WHERE review_id IN (SELECT review_id FROM store.forgotten UNION SELECT review_id FROM refused);
INSERT INTO incoming_rejects BY NAME
SELECT 'forgotten-' || left(md5(r.run_id || '#' || r.source || '#' || source_row), 16) AS reject_id, source_row, 'forgotten' AS reason
FROM refused, reading r;

-- What was removed for its age stays removed, whatever the source still holds.
CREATE OR REPLACE TEMP TABLE expired AS
SELECT i.*, b.at, b.counted FROM incoming i JOIN (
    SELECT review_id, min(blanked_at) AS at, max(words) AS counted FROM store.reviews WHERE blanked_at IS NOT NULL GROUP BY review_id
) b USING (review_id);
UPDATE incoming SET text = '', liked = left(incoming.liked, 0), disliked = left(incoming.disliked, 0), reply = left(incoming.reply, 0),
    blanked_at = e.at, words = e.counted
FROM expired e WHERE e.source_row = incoming.source_row;
UPDATE incoming_rejects SET raw = NULL, blanked_at = (SELECT read_at FROM reading)
WHERE review_id IN (SELECT review_id FROM store.reviews WHERE blanked_at IS NOT NULL);

-- The author is left out: with a new salt the same name has another hash.
CREATE OR REPLACE TEMP TABLE unchanged AS
SELECT h.place, i.source_row
FROM store.reviews h JOIN incoming i USING (review_id)
WHERE h.source = (SELECT source FROM reading) AND h.retired_at IS NULL
  AND (h.text, h.liked, h.disliked, h.language, h.stars, h.label, h.rating_only, h.reviewed_at, h.business, h.product,
       h.reply, h.replied_at, h.attributes::VARCHAR, h.native_id)
      IS NOT DISTINCT FROM
      (i.text, i.liked, i.disliked, i.language, i.stars, i.label, i.rating_only, i.reviewed_at, i.business, i.product,
       i.reply, i.replied_at, i.attributes::VARCHAR, i.native_id);

CREATE OR REPLACE TEMP TABLE leaving AS
SELECT place, review_id, native_id FROM store.reviews
WHERE source = (SELECT source FROM reading) AND retired_at IS NULL
  AND place NOT IN (SELECT place FROM unchanged)
  AND (NOT (SELECT append FROM reading) OR review_id IN (SELECT review_id FROM incoming));

CREATE OR REPLACE TEMP TABLE coming AS
SELECT * FROM incoming WHERE source_row NOT IN (SELECT source_row FROM unchanged);

CREATE OR REPLACE TEMP TABLE changes AS
SELECT (SELECT count(*) FROM coming WHERE review_id NOT IN (SELECT review_id FROM leaving)) AS added,
       (SELECT count(*) FROM leaving WHERE review_id NOT IN (SELECT review_id FROM coming)) AS withdrawn;

-- Of what another source has too, this source's reject is written anew below, with its row.
CREATE OR REPLACE TEMP TABLE touched AS
SELECT review_id, native_id FROM coming UNION SELECT review_id, native_id FROM leaving
UNION SELECT review_id, NULL FROM rejects WHERE source = (SELECT source FROM reading) AND kept_source <> source;

-- What the stages have made of these reviews, to see below whether it still holds.
CREATE OR REPLACE TEMP TABLE before AS
SELECT review_id, hash(text, liked, disliked, language, stars, label, business, product) AS content
FROM reviews WHERE review_id IN (SELECT review_id FROM touched);

-- In what is appended, a review that the source had before is a record more and a review less.
CREATE OR REPLACE TEMP TABLE again AS
SELECT source_row, review_id, text FROM incoming
WHERE (SELECT append FROM reading) AND review_id IN (
    SELECT review_id FROM store.reviews WHERE source = (SELECT source FROM reading) AND retired_at IS NULL
);

UPDATE store.reviews SET source_row = u.source_row FROM unchanged u
WHERE u.place = store.reviews.place AND u.source_row <> store.reviews.source_row;

UPDATE store.reviews SET retired_at = (SELECT read_at FROM reading) WHERE place IN (SELECT place FROM leaving);

INSERT INTO store.reviews BY NAME
SELECT c.*, (SELECT coalesce(max(place), 0) FROM store.reviews) + row_number() OVER (ORDER BY c.source_row) AS place,
       r.source, r.run_id, r.read_at AS ingested_at, false AS current
FROM coming c, reading r;

CREATE OR REPLACE TEMP TABLE rejected_before AS
SELECT reject_id, read_at, blanked_at FROM rejects WHERE source = (SELECT source FROM reading);
DELETE FROM rejects WHERE source = (SELECT source FROM reading) AND NOT (SELECT append FROM reading);
INSERT INTO rejects BY NAME
SELECT i.* REPLACE (CASE WHEN b.blanked_at IS NULL THEN i.raw END AS raw, coalesce(b.read_at, r.read_at) AS read_at,
                    coalesce(b.blanked_at, i.blanked_at) AS blanked_at), r.source, r.run_id
FROM incoming_rejects i CROSS JOIN reading r LEFT JOIN rejected_before b USING (reject_id);
INSERT INTO rejects BY NAME
SELECT 'again-' || left(md5(r.run_id || '#' || r.source || '#' || a.review_id), 16) AS reject_id, r.source, a.source_row,
       'duplicate' AS reason, to_json({'text': a.text}) AS raw, a.review_id, r.source AS kept_source, r.run_id
FROM again a, reading r;
