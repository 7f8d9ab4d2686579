-- How do customers feel? Without neutral; a review can show several emotions. Grain: emotion.
SELECT emotion AS name, count(*) AS n, count(*) / any_value(whole) AS share,
       wilson_low(count(*), any_value(whole)) AS share_low, wilson_high(count(*), any_value(whole)) AS share_high
FROM (SELECT unnest(emotions) AS emotion, count(emotions) OVER () AS whole FROM insights_in($business, $product, $language, $since, $until, $segment))
WHERE emotion <> 'neutral' GROUP BY emotion ORDER BY n DESC, name LIMIT coalesce($limit, 12);
