-- Can the written advice be trusted? Text metrics of the latest run that has any. Grain: role, metric.
-- band: the original project's term for such a mean.
SELECT m.*, b.band
FROM metrics m LEFT JOIN metric_bands b USING (run_id, role, metric)
WHERE run_id = (SELECT run_id FROM runs WHERE status = 'done' AND kind = 'run' AND run_id IN (SELECT run_id FROM metrics) ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1)
  AND metric IN (SELECT metric FROM text_metrics WHERE NOT signal)
ORDER BY metric, role;
