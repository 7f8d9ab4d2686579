-- How many reviews are negative, neutral, positive? Those the model could not judge among them. Grain: sentiment.
SELECT coalesce(sentiment, 'not judged') AS name, count(*) AS n FROM insights_in($business, $product, $language, $since, $until) GROUP BY ALL ORDER BY n DESC, name;
