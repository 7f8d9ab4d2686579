-- How do customers feel, in groups: Ekman's seven, and positive, negative, ambiguous? Grain: scheme, name.
-- A review counts once per group. $groups: further groups as JSON, [{"scheme": "mine", "name": "upset", "emotion": "anger"}, ...].
WITH members AS (
    SELECT scheme, name, emotion FROM emotion_groups
    UNION SELECT own.scheme, own.name, own.emotion FROM (
        SELECT unnest(from_json($groups::JSON, '[{"scheme": "VARCHAR", "name": "VARCHAR", "emotion": "VARCHAR"}]')) AS own)
), shown AS (  -- reviews that show the same emotions together: they are few
    SELECT row_number() OVER () AS number, emotions, count(*) AS n, sum(n) OVER () AS whole
    FROM findings_in($business, $product, $language, $since, $until, $segment) WHERE emotions IS NOT NULL GROUP BY emotions
), felt AS (
    SELECT number, n, whole, unnest(emotions) AS emotion FROM shown
), grouped AS (
    SELECT DISTINCT scheme, name, number, n, whole FROM members JOIN felt USING (emotion)
)
SELECT scheme, name, sum(n)::BIGINT AS n, any_value(whole)::BIGINT AS reviews, sum(grouped.n) / any_value(whole) AS share,
       wilson_low(sum(grouped.n)::BIGINT, any_value(whole)::BIGINT) AS share_low,
       wilson_high(sum(grouped.n)::BIGINT, any_value(whole)::BIGINT) AS share_high
FROM grouped GROUP BY scheme, name ORDER BY scheme, 3 DESC, name;
