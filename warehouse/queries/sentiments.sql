-- How many reviews are negative, neutral, positive? Including those that the model could not judge, without ratings that have no words. Grain: sentiment.
SELECT coalesce(sentiment, 'not judged') AS name, count(*) AS n FROM findings_in($business, $product, $language, $since, $until, $segment)
WHERE NOT rating_only GROUP BY ALL ORDER BY n DESC, name;
