-- Reviews without a sentiment under this fingerprint, as they were read. Grain: review_id.
WITH pending AS MATERIALIZED (
    SELECT review_id FROM candidates ANTI JOIN (SELECT review_id FROM store.sentiment WHERE fingerprint = $fingerprint) USING (review_id)
)
SELECT r.review_id, r.text, r.language, r.stars, d.sentiment AS words, d.vector
FROM candidates r SEMI JOIN pending USING (review_id) LEFT JOIN read_of('pending') d USING (review_id)
ORDER BY r.review_id;
