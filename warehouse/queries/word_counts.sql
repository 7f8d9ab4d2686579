-- How long are the reviews? Words between blanks, or characters in Chinese and Japanese. Grain: bin of words.
SELECT least(words // 25, 16) * 25 AS at_least, count(*) AS n, median(words) AS median_words
FROM findings_in($business, $product, $language, $since, $until, $segment) WHERE NOT rating_only
GROUP BY 1 ORDER BY 1;
