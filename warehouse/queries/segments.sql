-- Do some kinds of customers complain more than others? By attributes of the reviews (country, app version, ...). Grain: key, value.
-- Attributes with 2 to 20 values that at least five reviews have; values are compared without regard to case.
-- `negative` and its share are without the model's own shift per language, `plain_share` is as judged: see @languages.
WITH pairs AS (
    SELECT stars, sentiment, compared, entry.key AS key, entry.value AS value, lower(entry.value) AS folded
    FROM (SELECT stars, sentiment, compared, unnest(map_entries(attributes)) AS entry
          FROM compared_in($business, $product, $language, $since, $until, $segment))
), counted AS (
    SELECT key, folded, mode(value ORDER BY value) AS value, count(*) AS reviews, avg(stars) AS stars, count(sentiment) AS judged,
           count(*) FILTER (compared = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
           wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high,
           count(*) FILTER (sentiment = 'negative') / nullif(judged, 0) AS plain_share
    FROM pairs GROUP BY key, folded HAVING count(*) >= 5
    QUALIFY count(*) OVER (PARTITION BY key) BETWEEN 2 AND 20
), worst AS (
    SELECT key, folded, theme AS top_complaint
    FROM (SELECT entry.key AS key, lower(entry.value) AS folded, theme, severity
          FROM (SELECT theme, severity, unnest(map_entries(attributes)) AS entry FROM complaints_in($business, $product, $language, $since, $until, $segment)))
    GROUP BY key, folded, theme
    QUALIFY row_number() OVER (PARTITION BY key, folded ORDER BY sum(severity) DESC, theme) = 1
)
SELECT counted.* EXCLUDE folded, top_complaint FROM counted LEFT JOIN worst USING (key, folded)
ORDER BY key, negative_low DESC NULLS LAST, reviews DESC, value LIMIT coalesce($limit, 200);
