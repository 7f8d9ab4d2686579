-- The sentiment head in use: what was promoted or rolled back to last. No row, or an empty model: the reader alone. Grain: one row.
CREATE OR REPLACE VIEW champion AS
SELECT m.model, m.reader, (SELECT any_value(p.head) FROM models p WHERE p.model = m.model AND p.decision = 'promoted') AS head,
       (SELECT arg_max(p.champion, q.number) FROM models p JOIN runs q USING (run_id)
        WHERE p.model = m.model AND p.decision = 'promoted') AS before
FROM models m JOIN runs r USING (run_id) WHERE m.decision <> 'kept' ORDER BY r.number DESC LIMIT 1;
