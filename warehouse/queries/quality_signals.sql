-- Is a text metric being gamed, and what was not read? Means of the latest run. Grain: role.
SELECT * EXCLUDE (run_id) FROM quality_signals
WHERE run_id = (SELECT run_id FROM runs WHERE status = 'done' AND kind = 'run' AND run_id IN (SELECT run_id FROM metrics) ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1)
ORDER BY role;
