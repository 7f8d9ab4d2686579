-- Which reviews need an answer today? Most urgent first. Grain: review_id.
WITH urgent AS (
    SELECT * EXCLUDE text, count(*) OVER () AS waiting FROM needs_answer($business, $product, $language, $since, $until, $segment)
    ORDER BY urgency DESC, day DESC, review_id LIMIT coalesce($limit, 20)
)
SELECT u.* EXCLUDE (platform, problem, problem_name, reply_say, reply_avoid, waiting), text, platform, problem, problem_name, reply_say, reply_avoid, waiting
FROM urgent u JOIN reviews r USING (review_id)
ORDER BY urgency DESC, day DESC, review_id;
