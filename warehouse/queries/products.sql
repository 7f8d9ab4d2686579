-- Which products are doing badly, and why? Grain: product.
WITH scope AS MATERIALIZED (FROM insights_in($business, $product, $language, $since, $until, $segment)), worst AS (
    SELECT product, theme FROM complaints JOIN scope USING (review_id)
    GROUP BY product, theme
    QUALIFY row_number() OVER (PARTITION BY product ORDER BY sum(severity) DESC, theme) = 1
)
SELECT product, count(*) AS reviews, avg(stars) AS stars, count(sentiment) AS judged,
       count(*) FILTER (sentiment = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
       wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high,
       any_value(w.theme) AS top_complaint
FROM scope LEFT JOIN worst w USING (product)
WHERE product IS NOT NULL
-- By the lower end of the interval: a single review, if negative, must not lead the list.
GROUP BY product ORDER BY negative_low DESC NULLS LAST, reviews DESC, product LIMIT coalesce($limit, 30);
