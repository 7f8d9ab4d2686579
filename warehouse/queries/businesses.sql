-- Which businesses are doing badly, and why? Grain: business.
WITH scope AS MATERIALIZED (FROM insights_in($business, $product, $language, $since, $until, $segment)), worst AS (
    SELECT business, theme FROM complaints JOIN scope USING (review_id)
    GROUP BY business, theme
    QUALIFY row_number() OVER (PARTITION BY business ORDER BY sum(severity) DESC, theme) = 1
)
SELECT business, count(*) AS reviews, avg(stars) AS stars, count(sentiment) AS judged,
       count(*) FILTER (sentiment = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
       wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high,
       any_value(w.theme) AS top_complaint
FROM scope LEFT JOIN worst w USING (business)
WHERE business IS NOT NULL
-- By the lower end of the interval: a single review, if negative, must not lead the list.
GROUP BY business ORDER BY negative_low DESC NULLS LAST, reviews DESC, business LIMIT coalesce($limit, 30);
