-- How good were the models, run by run? Grain: run_id, role, metric.
SELECT r.started_at, m.run_id, m.role, m.metric, m.n, m.mean, m.ci_low, m.ci_high, m.model
FROM metrics m JOIN runs r USING (run_id)
WHERE metric IN ('bleurt', 'bertscore_f1', 'meteor', 'grounding', 'grounding_r1', 'judge', 'macro_f1')
ORDER BY r.started_at DESC, m.metric, m.role LIMIT coalesce($limit, 200);
