-- These sentences with their reviews. In: $reviews, $places, $lengths, in order.
SELECT r.business, r.reviewed_at::DATE AS day, r.stars, r.language, substr(r.text, n.place + 1, n.length) AS sentence, r.review_id
FROM (
    SELECT unnest($reviews::VARCHAR[]) AS review_id, unnest($places::BIGINT[]) AS place, unnest($lengths::BIGINT[]) AS length,
           unnest(range(len($reviews))) AS number
) n JOIN reviews r USING (review_id)
ORDER BY number;
