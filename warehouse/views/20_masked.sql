-- What was hidden from the models that were asked: values by kind, over all texts that a run sent. Grain: run_id, purpose, kind.
CREATE OR REPLACE VIEW masked AS
WITH sent AS (
    SELECT run_id, 'feedback' AS purpose, unnest(map_entries(masked)) AS entry FROM store.feedback
    UNION ALL SELECT run_id, 'judge', unnest(map_entries(masked)) FROM store.score
)
SELECT run_id, purpose, entry.key AS kind, sum(entry.value)::BIGINT AS n FROM sent GROUP BY ALL;
