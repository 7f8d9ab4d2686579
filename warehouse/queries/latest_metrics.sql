-- Text metrics of the latest finished run that has any. Grain: role, metric.
SELECT * FROM metrics
WHERE run_id = (SELECT run_id FROM runs WHERE status = 'done' AND kind = 'run' AND run_id IN (SELECT run_id FROM metrics) ORDER BY started_at DESC LIMIT 1)
  AND metric IN ('bleurt', 'bertscore_f1', 'meteor', 'grounding', 'grounding_r1')
ORDER BY metric, role;
