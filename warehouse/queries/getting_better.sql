-- Which complaints are getting rarer? Recent days against as many before. Grain: theme.
SELECT theme, trend, recent_from, recent_to, recent_mentions, recent_reviews, previous_mentions, previous_reviews,
       change, change_low, change_high
FROM pain_points(NULL, $business, $product, $language, $since, $until, $segment)
WHERE trend = 'getting better'
ORDER BY change, theme LIMIT coalesce($limit, 10);
