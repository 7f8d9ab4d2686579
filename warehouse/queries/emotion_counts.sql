-- How many emotions does a review show? Grain: number of emotions, neutral included.
SELECT len(emotions) AS emotions, count(*) AS n FROM findings_in($business, $product, $language, $since, $until, $segment)
WHERE emotions IS NOT NULL GROUP BY 1 ORDER BY 1;
