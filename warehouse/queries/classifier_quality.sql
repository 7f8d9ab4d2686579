-- How often does the sentiment agree with stars and labels? Latest finished run that has metrics. Grain: metric.
SELECT metric, n, mean, ci_low, ci_high, model FROM metrics
WHERE run_id = (SELECT run_id FROM runs WHERE status = 'done' AND run_id IN (SELECT run_id FROM metrics) ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1)
  AND role = 'classifier'
ORDER BY metric;
