-- What did retraining decide, and how did challenger and champion compare? Grain: run_id, rows.
-- Shares that are right on reviews held out from both; of a class its F1. A roll back compares nothing.
SELECT m.run_id, r.started_at, m.decision, m.model, m.champion, m.new_labels, g.rows, g.n, g.champion AS before, g.challenger AS after,
       g.gain, g.ci_low, g.ci_high, m.why
FROM models m JOIN runs r USING (run_id) LEFT JOIN (SELECT run_id, unnest(gains) AS g FROM models) USING (run_id)
ORDER BY r.number DESC, g.rows LIMIT coalesce($limit, 30);
