-- What is known about each review? Everything side by side, newest first. Grain: review_id.
SELECT * FROM insights_in($business, $product, $language, $since, $until, $segment)
ORDER BY reviewed_at DESC NULLS LAST, review_id LIMIT $limit;
