-- How do customers of each business feel? Its three most frequent emotions. Grain: business, emotion.
WITH shown AS (  -- reviews that show the same emotions together: they are few
    SELECT business, emotions, count(*) AS n, sum(n) OVER (PARTITION BY business)::BIGINT AS reviews
    FROM findings_in($business, $product, $language, $since, $until, $segment) WHERE business IS NOT NULL AND emotions IS NOT NULL GROUP BY business, emotions
), felt AS (
    SELECT business, emotion, sum(n)::BIGINT AS n, any_value(reviews) AS reviews
    FROM (SELECT business, unnest(emotions) AS emotion, n, reviews FROM shown) WHERE emotion <> 'neutral' GROUP BY business, emotion
)
SELECT business, emotion, n, reviews, n / reviews AS share,
       wilson_low(n, reviews) AS share_low, wilson_high(n, reviews) AS share_high, weight_of(n) AS weight
FROM felt QUALIFY row_number() OVER (PARTITION BY business ORDER BY n DESC, emotion) <= 3
ORDER BY reviews DESC, business, n DESC, emotion LIMIT coalesce($limit, 60);
