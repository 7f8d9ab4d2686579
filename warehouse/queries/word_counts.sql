-- How long are the reviews? Words, or characters in Chinese and Japanese. Grain: bin of words.
SELECT least(words // 25, 16) * 25 AS at_least, count(*) AS n, median(words) AS median_words
FROM (SELECT len(regexp_extract_all(text, '[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}]+')) AS words
      FROM reviews_in($business, $product, $language, $since, $until))
GROUP BY 1 ORDER BY 1;
