-- How do the last seven days compare with the seven before? Grain: week.
WITH scope AS (SELECT * FROM findings_in($business, $product, $language, NULL, $until, $segment) WHERE reviewed_at IS NOT NULL),
     days AS (SELECT coalesce($until::DATE, max(reviewed_at)::DATE) AS last_day FROM scope)
SELECT CASE WHEN reviewed_at >= last_day - 6 THEN 'last seven days' ELSE 'seven days before' END AS week,
       min(reviewed_at)::DATE AS first_review, max(reviewed_at)::DATE AS last_review, count(*) AS reviews, avg(stars) AS stars,
       count(sentiment) AS judged, count(*) FILTER (sentiment = 'negative') AS negative,
       negative / nullif(judged, 0) AS negative_share, wilson_low(negative, judged) AS negative_low,
       wilson_high(negative, judged) AS negative_high
FROM scope CROSS JOIN days WHERE reviewed_at >= last_day - 13
GROUP BY week ORDER BY week;
