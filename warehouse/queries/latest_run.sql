-- What did the latest run of the stages do? Grain: one row, or none before the first run.
SELECT run_id, started_at, finished_at, profile, status,
       (SELECT count(*) FROM reviews r WHERE r.run_id = runs.run_id) AS new_reviews
FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1;
