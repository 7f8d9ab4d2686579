-- How do customers of each business feel? Its three most frequent emotions. Grain: business, emotion.
SELECT business, emotion, count(*) AS n, any_value(whole) AS reviews, n / reviews AS share,
       wilson_low(n, reviews) AS share_low, wilson_high(n, reviews) AS share_high, weight_of(n) AS weight
FROM (SELECT business, unnest(emotions) AS emotion, count(emotions) OVER (PARTITION BY business) AS whole
      FROM insights_in($business, $product, $language, $since, $until, $segment) WHERE business IS NOT NULL)
WHERE emotion <> 'neutral' GROUP BY business, emotion
QUALIFY row_number() OVER (PARTITION BY business ORDER BY count(*) DESC, emotion) <= 3
ORDER BY reviews DESC, business, n DESC, emotion LIMIT coalesce($limit, 60);
