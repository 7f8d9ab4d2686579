-- How are things at a glance? Grain: one row.
SELECT count(*) AS reviews, count(*) FILTER (rating_only) AS rating_only, count(sentiment) AS judged, count(*) FILTER (sentiment = 'negative') AS negative,
       negative / nullif(judged, 0) AS negative_share, wilson_low(negative, judged) AS negative_low,
       wilson_high(negative, judged) AS negative_high, avg(stars) AS stars, count(stars) AS starred,
       min(reviewed_at)::DATE AS first_day, max(reviewed_at)::DATE AS last_day, count(reviewed_at) AS dated,
       count(DISTINCT business) AS businesses, count(DISTINCT product) AS products, count(*) FILTER (advised) AS answered
FROM findings_in($business, $product, $language, $since, $until, $segment);
