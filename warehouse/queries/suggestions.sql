-- The steps that feedback proposes most often where a theme hurts. Grain: theme, suggestion.
SELECT t.theme, suggestion, count(*) AS times
FROM themes t
JOIN (SELECT review_id, unnest(suggestions) AS suggestion FROM insights) i USING (review_id)
WHERE t.sentiment = 'negative' GROUP BY ALL ORDER BY t.theme, times DESC, suggestion;
