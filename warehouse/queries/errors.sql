-- Which rows ended in an error, and why? Grain: stage, error.
SELECT CASE WHEN stage IN ('feedback', 'generate') THEN 'feedback (' || role || ')' ELSE stage END AS stage, error, count(*) AS n
FROM stage_errors() WHERE error IS NOT NULL GROUP BY ALL
ORDER BY n DESC, stage, error LIMIT coalesce($limit, 30);
