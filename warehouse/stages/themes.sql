-- Reviews without a row of themes under this fingerprint, as they were read. Grain: review_id.
WITH pending AS MATERIALIZED (
    SELECT review_id FROM candidates ANTI JOIN (SELECT review_id FROM store.themes WHERE fingerprint = $fingerprint) USING (review_id)
)
SELECT r.review_id, r.text, r.language, r.stars, r.source, r.business, r.liked, r.disliked, r.attributes, d.sentences
FROM candidates r SEMI JOIN pending USING (review_id) LEFT JOIN read_of('pending') d USING (review_id)
ORDER BY r.review_id;
