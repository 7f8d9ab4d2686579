-- How many reviews of each sentiment; those the model could not judge among them. Grain: sentiment.
SELECT coalesce(sentiment, 'not judged') AS name, count(*) AS n FROM insights GROUP BY ALL ORDER BY n DESC, name;
