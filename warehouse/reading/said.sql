-- What count_themes.sql counts. In: temp table `recounted` (review_id).
CREATE OR REPLACE TEMP TABLE said_now AS
SELECT review_id, source, business, theme, max(probability)::DECIMAL(9, 4) AS probability
FROM (
    SELECT r.review_id, r.source, r.business, unnest(s.themes, recursive := true)
    FROM (
        SELECT review_id, unnest(sentences) AS s FROM read_of('recounted')
    ) JOIN reviews r USING (review_id)
)
GROUP BY ALL;
