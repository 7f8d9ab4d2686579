-- How are the stars distributed? Half stars are rounded down. Grain: star.
SELECT floor(stars)::INTEGER AS stars, count(*) AS n
FROM reviews_in($business, $product, $language, $since, $until, $segment) WHERE stars IS NOT NULL GROUP BY 1 ORDER BY 1;
