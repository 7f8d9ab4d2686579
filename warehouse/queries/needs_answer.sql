-- Which reviews need an answer today? Most urgent first. Grain: review_id.
SELECT *, count(*) OVER () AS waiting FROM needs_answer($business, $product, $language, $since, $until, $segment)
ORDER BY urgency DESC, day DESC, review_id LIMIT coalesce($limit, 20);
