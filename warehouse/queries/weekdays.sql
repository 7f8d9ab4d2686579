-- On which weekday are customers unhappiest? Grain: weekday.
SELECT dayname(min(reviewed_at)) AS weekday, count(*) AS reviews, avg(stars) AS stars, count(sentiment) AS judged,
       count(*) FILTER (sentiment = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
       wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high
FROM findings_in($business, $product, $language, $since, $until, $segment)
WHERE reviewed_at IS NOT NULL GROUP BY isodow(reviewed_at) ORDER BY isodow(reviewed_at);
