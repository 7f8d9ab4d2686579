-- Which businesses are doing badly, and why? Grain: business.
WITH counted AS (
    SELECT business, count(*) AS reviews, avg(stars) AS stars, count(sentiment) AS judged,
           count(*) FILTER (sentiment = 'negative') AS negative, negative / nullif(judged, 0) AS negative_share,
           wilson_low(negative, judged) AS negative_low, wilson_high(negative, judged) AS negative_high
    FROM findings_in($business, $product, $language, $since, $until, $segment) WHERE business IS NOT NULL GROUP BY business
), worst AS (
    SELECT business, theme AS top_complaint FROM complaints_in($business, $product, $language, $since, $until, $segment)
    GROUP BY business, theme
    QUALIFY row_number() OVER (PARTITION BY business ORDER BY sum(severity) DESC, theme) = 1
)
SELECT counted.*, top_complaint FROM counted LEFT JOIN worst USING (business)
-- By the lower end of the interval: a single review, if negative, must not lead the list.
ORDER BY negative_low DESC NULLS LAST, reviews DESC, business LIMIT coalesce($limit, 30);
