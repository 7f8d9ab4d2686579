-- Which rows ended in an error, or got another text than the teacher's first, and why? Grain: stage, error.
WITH found AS (
    SELECT CASE WHEN stage IN ('feedback', 'generate') THEN 'feedback (' || role || ')' ELSE stage END AS stage, error
    FROM stage_errors() WHERE error IS NOT NULL
    UNION ALL
    -- What was not accepted, without the words of the one case: 'the step "..." answers nothing'.
    SELECT 'feedback (not accepted)', regexp_replace(fault, '"[^"]*"|number \S+|name \S+', '…')
    FROM (SELECT unnest(faults) AS fault FROM feedback WHERE len(faults) > 0)
)
SELECT stage, error, count(*) AS n FROM found GROUP BY ALL ORDER BY n DESC, stage, error LIMIT coalesce($limit, 30);
