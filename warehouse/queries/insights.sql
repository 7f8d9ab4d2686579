-- What is known about each review? Everything side by side, newest first. Grain: review_id.
SELECT i.* FROM insights_in($business, $product, $language, $since, $until, $segment) i SEMI JOIN (
    SELECT review_id FROM findings_in($business, $product, $language, $since, $until, $segment) ORDER BY reviewed_at DESC NULLS LAST, review_id LIMIT $limit
) USING (review_id)
ORDER BY reviewed_at DESC NULLS LAST, review_id;
