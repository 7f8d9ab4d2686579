-- What was hidden from models before reviews were sent to them? Grain: run_id, purpose, kind.
SELECT run_id, r.started_at, m.purpose, m.kind, m.n FROM masked m JOIN runs r USING (run_id)
ORDER BY r.started_at DESC, run_id, m.purpose, m.n DESC, m.kind;
