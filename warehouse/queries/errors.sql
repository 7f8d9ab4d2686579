-- Which rows ended in an error, and why? Grain: stage, error.
SELECT 'sentiment' AS stage, error, count(*) AS n FROM sentiment WHERE error IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'emotions', error, count(*) FROM emotions WHERE error IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'discover', error, count(*) FROM discover WHERE error IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'feedback (' || role || ')', error, count(*) FROM feedback WHERE error IS NOT NULL GROUP BY ALL
UNION ALL SELECT 'distill', error, count(*) FROM distill WHERE error IS NOT NULL GROUP BY ALL
ORDER BY n DESC, stage, error LIMIT coalesce($limit, 30);
