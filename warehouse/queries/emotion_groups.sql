-- How do customers feel, in groups: Ekman's seven, and positive, negative, ambiguous? Grain: scheme, name.
-- A review counts once per group. $groups: further groups as JSON, [{"scheme": "mine", "name": "upset", "emotion": "anger"}, ...].
WITH members AS (
    SELECT scheme, name, emotion FROM emotion_groups
    UNION SELECT own.scheme, own.name, own.emotion FROM (
        SELECT unnest(from_json($groups::JSON, '[{"scheme": "VARCHAR", "name": "VARCHAR", "emotion": "VARCHAR"}]')) AS own)
), felt AS (
    SELECT review_id, unnest(emotions) AS emotion, count(emotions) OVER () AS whole
    FROM insights_in($business, $product, $language, $since, $until, $segment)
)
SELECT scheme, name, count(DISTINCT review_id) AS n, any_value(whole) AS reviews, n / reviews AS share,
       wilson_low(n, reviews) AS share_low, wilson_high(n, reviews) AS share_high
FROM members JOIN felt USING (emotion)
GROUP BY scheme, name ORDER BY scheme, n DESC, name;
