-- Reviews that are not plainly happy and were not yet searched for themes outside the taxonomy, as they were read.
-- Grain: review_id.
WITH pending AS MATERIALIZED (
    SELECT r.review_id
    FROM candidates r ANTI JOIN (SELECT review_id FROM store.discover WHERE fingerprint = $fingerprint) USING (review_id)
    LEFT JOIN (FROM store.sentiment JOIN store.current USING (fingerprint) WHERE stage = 'sentiment') s USING (review_id) WHERE NOT is_plainly_happy(s.label, r.stars)
)
SELECT r.review_id, r.text, r.language, d.sentences
FROM candidates r SEMI JOIN pending USING (review_id) LEFT JOIN read_of('pending') d USING (review_id)
ORDER BY r.review_id;
