-- Do some kinds of customers complain more than others? By attributes of the reviews (country, app version, ...). Grain: key, value.
-- Attributes with 2 to 20 values that at least five reviews have; values are compared without regard to case.
-- `negative` and its share are without the model's own shift per language, `plain_share` is as judged: see @languages.
WITH scope AS MATERIALIZED (FROM compared_in($business, $product, $language, $since, $until, $segment)), pairs AS (
    SELECT review_id, stars, sentiment, compared, entry.key AS key, entry.value AS value, lower(entry.value) AS folded
    FROM (SELECT review_id, stars, sentiment, compared, unnest(map_entries(attributes)) AS entry FROM scope)
), worst AS (
    SELECT key, folded, theme FROM complaints JOIN pairs USING (review_id)
    GROUP BY key, folded, theme
    QUALIFY row_number() OVER (PARTITION BY key, folded ORDER BY sum(severity) DESC, theme) = 1
)
SELECT key, mode(value ORDER BY value) AS value, count(*) AS reviews, avg(stars) AS stars, count(sentiment) AS judged,
       count(*) FILTER (compared = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
       wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high,
       count(*) FILTER (sentiment = 'negative') / nullif(judged, 0) AS plain_share, any_value(w.theme) AS top_complaint
FROM pairs LEFT JOIN worst w USING (key, folded)
GROUP BY key, folded HAVING count(*) >= 5
QUALIFY count(*) OVER (PARTITION BY key) BETWEEN 2 AND 20
ORDER BY key, negative_low DESC NULLS LAST, reviews DESC, value LIMIT coalesce($limit, 200);
