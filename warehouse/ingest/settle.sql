-- Renews which reviews are current, after store.reviews has changed. Of a review that several sources have, the first to
-- give it keeps it; of one that its author changed (the same id of its platform, another text), the latest text counts.
CREATE OR REPLACE TEMP TABLE shown AS
SELECT review_id, max(place) OVER (PARTITION BY coalesce(native_id, review_id)) AS place
FROM (
    SELECT min(place) AS place, review_id, min_by(native_id, place) AS native_id
    FROM store.reviews WHERE retired_at IS NULL GROUP BY review_id
);

UPDATE store.reviews SET current = NOT current WHERE current <> (place IN (SELECT place FROM shown));

-- The others are duplicates of it.
DELETE FROM rejects WHERE kept_source <> source;
INSERT INTO rejects BY NAME
SELECT 'other-' || left(md5(r.source || '#' || r.review_id), 16) AS reject_id, r.source, r.source_row, 'duplicate' AS reason,
       to_json({'text': r.text, 'stars': r.stars, 'reviewed_at': r.reviewed_at, 'business': r.business}) AS raw,
       k.review_id, k.source AS kept_source, r.run_id
FROM store.reviews r
JOIN shown s USING (review_id)
JOIN store.reviews k ON k.place = s.place
WHERE r.retired_at IS NULL AND NOT r.current;
