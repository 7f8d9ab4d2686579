-- Renews which reviews are current, after versions of some have come or gone. Of a review that several sources have, the first to
-- give it keeps it; of one that its author changed (the same id of its platform, another text), the latest text counts.
-- In: temp table `touched` (review_id, native_id): those versions. Nothing else is looked at, however many reviews there are.
CREATE OR REPLACE TEMP TABLE natives AS
SELECT coalesce(native_id, review_id) AS native_id FROM touched
UNION SELECT coalesce(native_id, review_id) FROM store.reviews WHERE review_id IN (SELECT review_id FROM touched);

CREATE OR REPLACE TEMP TABLE firsts AS
SELECT review_id, min(place) AS place, min_by(coalesce(native_id, review_id), place) AS native_id
FROM store.reviews
WHERE retired_at IS NULL
  AND review_id IN (SELECT review_id FROM store.reviews WHERE coalesce(native_id, review_id) IN (FROM natives))
GROUP BY review_id
HAVING native_id IN (FROM natives);

CREATE OR REPLACE TEMP TABLE shown AS
SELECT native_id, max(place) AS place FROM firsts GROUP BY native_id;

CREATE OR REPLACE TEMP TABLE turned AS
SELECT place, review_id FROM store.reviews
WHERE review_id IN (SELECT review_id FROM firsts UNION SELECT review_id FROM touched)
  AND current <> (place IN (SELECT place FROM shown));

UPDATE store.reviews SET current = NOT current WHERE place IN (SELECT place FROM turned);
INSERT INTO store.changed SELECT review_id FROM turned WHERE EXISTS (FROM store.kept);

-- The others are duplicates of it.
DELETE FROM rejects WHERE kept_source <> source AND review_id IN (SELECT review_id FROM firsts UNION SELECT review_id FROM touched);
INSERT INTO rejects BY NAME
SELECT 'other-' || left(md5(r.source || '#' || r.review_id), 16) AS reject_id, r.source, r.source_row, 'duplicate' AS reason,
       to_json({'text': r.text, 'stars': r.stars, 'reviewed_at': r.reviewed_at, 'business': r.business}) AS raw,
       k.review_id, k.source AS kept_source, r.run_id
FROM store.reviews r
JOIN firsts f USING (review_id)
JOIN shown s ON s.native_id = f.native_id
JOIN store.reviews k ON k.place = s.place
WHERE r.retired_at IS NULL AND NOT r.current;
