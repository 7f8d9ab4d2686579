-- How are the stars spread? Halves go to the full star below. Grain: star.
SELECT floor(stars)::INTEGER AS stars, count(*) AS n
FROM reviews_in($business, $product, $language, $since, $until) WHERE stars IS NOT NULL GROUP BY 1 ORDER BY 1;
