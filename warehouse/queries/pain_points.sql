-- What hurts most: themes spoken of negatively. Grain: theme.
SELECT theme, count(*) AS mentions,
       count(*) / (SELECT count(*) FROM reviews) AS share
FROM themes WHERE sentiment = 'negative' GROUP BY theme ORDER BY mentions DESC, theme LIMIT 8;
