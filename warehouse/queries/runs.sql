-- Which runs were there, and what became of them? Grain: run_id.
SELECT run_id, started_at, finished_at, profile, version, status, error, stages FROM runs ORDER BY started_at DESC LIMIT coalesce($limit, 20);
