-- What do customers say about it, in their own words? The clearest evidence of each complaint. Grain: review_id, theme.
WITH clear AS (
    SELECT *, (length(evidence) NOT BETWEEN 20 AND 160, -coalesce(probability, -1), -coalesce(severity, -1), review_id) AS place
    FROM complaints_in($business, $product, $language, $since, $until, $segment)
    WHERE ($theme IS NULL OR theme = $theme) AND evidence <> ''
), clearest AS (
    -- A very short clause says little, a very long one is hard to read; each business that has a name is quoted once per theme.
    SELECT theme, arg_min(review_id, place) AS review_id FROM clear GROUP BY theme, coalesce(business, review_id)
), quoted AS (
    SELECT c.* FROM clear c SEMI JOIN clearest USING (theme, review_id)
)
SELECT theme, evidence, business, reviewed_at::DATE AS day, stars, language, severity, score, probability, review_id
FROM quoted q ANTI JOIN clear earlier ON earlier.theme = q.theme AND earlier.evidence = q.evidence AND earlier.review_id < q.review_id
ORDER BY theme, place LIMIT coalesce($limit, 1000);
