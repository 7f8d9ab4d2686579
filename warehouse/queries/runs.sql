-- Which runs have there been, and how did they end? Grain: run_id.
SELECT run_id, started_at, finished_at, profile, version, status, error, stages FROM runs ORDER BY number DESC NULLS LAST, started_at DESC LIMIT coalesce($limit, 20);
