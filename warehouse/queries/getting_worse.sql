-- Which complaints are getting worse, or are new? Recent days against as many before. Grain: theme.
SELECT theme, trend, emerging, recent_from, recent_to, recent_mentions, recent_reviews, previous_mentions, previous_reviews,
       change, change_low, change_high, weight_of(recent_mentions) AS weight
FROM pain_points(NULL, $business, $product, $language, $since, $until, $segment)
WHERE emerging OR trend = 'getting worse'
ORDER BY emerging DESC, change DESC, theme LIMIT coalesce($limit, 10);
