-- Which languages do customers write in, and how many reviews of each could be judged? Grain: language.
SELECT coalesce(language, 'unknown') AS name, count(*) AS n, count(sentiment) AS judged,
       count(*) FILTER (sentiment = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
       wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high, avg(stars) AS stars
FROM insights_in($business, $product, $language, $since, $until, $segment)
WHERE NOT rating_only GROUP BY 1 ORDER BY n DESC, name LIMIT coalesce($limit, 12);
