-- How do volume, stars and complaints move from week to week? Grain: week.
SELECT strftime(begins, '%G-W%V') AS week, * EXCLUDE begins FROM (
    SELECT date_trunc('week', reviewed_at) AS begins, count(*) AS reviews, avg(stars) AS stars,
           count(sentiment) AS judged, count(*) FILTER (sentiment = 'negative') AS negative,
           negative / nullif(judged, 0) AS negative_share, wilson_low(negative, judged) AS negative_low,
           wilson_high(negative, judged) AS negative_high
    FROM findings_in($business, $product, $language, $since, $until, $segment)
    WHERE reviewed_at IS NOT NULL GROUP BY begins ORDER BY begins DESC LIMIT coalesce($limit, 12)
) ORDER BY week;
