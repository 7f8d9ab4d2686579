-- How do customers feel? Without neutral; a review can show several emotions. Grain: emotion.
WITH shown AS (  -- reviews that show the same emotions together: they are few
    SELECT emotions, count(*) AS n, sum(n) OVER ()::BIGINT AS whole
    FROM findings_in($business, $product, $language, $since, $until, $segment) WHERE emotions IS NOT NULL GROUP BY emotions
), felt AS (
    SELECT emotion, sum(n)::BIGINT AS n, any_value(whole) AS whole
    FROM (SELECT unnest(emotions) AS emotion, n, whole FROM shown) WHERE emotion <> 'neutral' GROUP BY emotion
)
SELECT emotion AS name, n, n / whole AS share, wilson_low(n, whole) AS share_low, wilson_high(n, whole) AS share_high
FROM felt ORDER BY n DESC, name LIMIT coalesce($limit, 12);
