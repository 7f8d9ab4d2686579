-- How were these results made? The latest finished run, and the fingerprint of every stage that the views show. Grain: stage.
SELECT r.run_id, r.started_at, r.finished_at, r.profile, r.git_sha, r.version, r.environment, c.stage, c.fingerprint
FROM (SELECT * FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1) r
LEFT JOIN store.current c ON true ORDER BY c.stage;
