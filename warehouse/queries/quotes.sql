-- What do customers say about it, in their own words? The clearest evidence of each complaint. Grain: review_id, theme.
SELECT c.theme, c.evidence, r.business, r.reviewed_at::DATE AS day, r.stars, r.language, c.severity, c.score, c.probability, c.review_id
FROM complaints c JOIN reviews_in($business, $product, $language, $since, $until, $segment) r USING (review_id)
WHERE ($theme IS NULL OR c.theme = $theme) AND c.evidence <> ''
-- A very short clause says little, a very long one is hard to read; each business that has a name is quoted once per theme.
QUALIFY row_number() OVER (PARTITION BY c.theme, coalesce(r.business, r.review_id) ORDER BY length(c.evidence) BETWEEN 20 AND 160 DESC, c.probability DESC NULLS LAST, c.severity DESC, c.review_id) = 1
    AND row_number() OVER (PARTITION BY c.theme, c.evidence ORDER BY c.review_id) = 1
ORDER BY c.theme, length(c.evidence) BETWEEN 20 AND 160 DESC, c.probability DESC NULLS LAST, c.severity DESC, c.review_id
LIMIT coalesce($limit, 1000);
