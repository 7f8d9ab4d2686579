-- Which languages do customers write in, and how many reviews of each could be judged? Grain: language.
-- `negative` and its share are without the model's own shift per language where that was measured (`shift`, of the score; NULL: it
-- was not); `plain_share` is as judged.
SELECT coalesce(language, 'unknown') AS name, count(*) AS n, count(sentiment) AS judged,
       count(*) FILTER (compared = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
       wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high,
       count(*) FILTER (sentiment = 'negative') / nullif(judged, 0) AS plain_share, any_value(shift) AS shift, avg(stars) AS stars
FROM compared_in($business, $product, $language, $since, $until, $segment)
WHERE NOT rating_only GROUP BY 1 ORDER BY n DESC, name LIMIT coalesce($limit, 12);
