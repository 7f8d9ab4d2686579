-- How do volume, stars and complaints move from month to month? Grain: month.
SELECT strftime(begins, '%Y-%m') AS month, * EXCLUDE begins FROM (
    SELECT date_trunc('month', reviewed_at) AS begins, count(*) AS reviews, avg(stars) AS stars,
           count(sentiment) AS judged, count(*) FILTER (sentiment = 'negative') AS negative,
           negative / nullif(judged, 0) AS negative_share, wilson_low(negative, judged) AS negative_low,
           wilson_high(negative, judged) AS negative_high
    FROM findings_in($business, $product, $language, $since, $until, $segment)
    WHERE reviewed_at IS NOT NULL GROUP BY begins ORDER BY begins DESC LIMIT coalesce($limit, 12)
) ORDER BY month;
