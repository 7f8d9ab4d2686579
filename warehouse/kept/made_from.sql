-- What the kept rows depend on besides the rows of each review: if it changes, all are put together anew. Grain: one row.
SELECT (SELECT string_agg(stage || ' ' || fingerprint, ', ' ORDER BY stage) FROM store.current
        WHERE stage IN ('sentiment', 'emotions', 'themes', 'feedback', 'generate'))
       || CASE WHEN (SELECT bool_and(shown) FROM student_verdict) THEN ', the student' ELSE '' END AS made_from;
