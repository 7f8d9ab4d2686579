-- How good were the models, run by run? Grain: run_id, role, metric.
SELECT r.started_at, m.run_id, m.role, m.metric, m.n, m.mean, m.ci_low, m.ci_high, m.model
FROM metrics m JOIN runs r USING (run_id)
WHERE metric = 'macro_f1' OR metric IN (SELECT metric FROM text_metrics WHERE NOT signal)
ORDER BY r.number DESC, m.metric, m.role LIMIT coalesce($limit, 200);
