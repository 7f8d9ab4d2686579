-- How many reviews are negative, neutral, positive? Including those that the model could not judge. Grain: sentiment.
SELECT coalesce(sentiment, 'not judged') AS name, count(*) AS n FROM insights_in($business, $product, $language, $since, $until) GROUP BY ALL ORDER BY n DESC, name;
