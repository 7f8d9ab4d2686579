-- How do volume, stars and complaints move from month to month? Grain: month.
SELECT * FROM (
    SELECT strftime(date_trunc('month', reviewed_at), '%Y-%m') AS month, count(*) AS reviews, avg(stars) AS stars,
           count(sentiment) AS judged, count(*) FILTER (sentiment = 'negative') AS negative,
           negative / nullif(judged, 0) AS negative_share, wilson_low(negative, judged) AS negative_low,
           wilson_high(negative, judged) AS negative_high
    FROM insights_in($business, $product, $language, $since, $until, $segment)
    WHERE reviewed_at IS NOT NULL GROUP BY month ORDER BY month DESC LIMIT coalesce($limit, 12)
) ORDER BY month;
