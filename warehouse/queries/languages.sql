-- Languages, and how many of each were judged. Grain: language.
SELECT coalesce(language, 'unknown') AS name, count(*) AS n, count(sentiment) AS judged FROM insights GROUP BY ALL ORDER BY n DESC, name LIMIT 12;
