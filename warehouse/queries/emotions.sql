-- How often each emotion was felt, neutral left out. Grain: emotion.
SELECT emotion AS name, count(*) AS n FROM (SELECT unnest(emotions) AS emotion FROM insights)
WHERE emotion <> 'neutral' GROUP BY ALL ORDER BY n DESC, name LIMIT 12;
