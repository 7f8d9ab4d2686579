-- Is a text metric being gamed, and what was not read? Means of the latest run. Grain: role.
SELECT role,
       max(mean) FILTER (metric = 'prompt_echo') AS prompt_echo,
       max(mean) FILTER (metric = 'copied_share') AS copied_share,
       max(mean) FILTER (metric = 'repetition') AS repetition,
       max(mean) FILTER (metric = 'length_ratio') AS length_ratio,
       max(mean) FILTER (metric = 'unfinished') AS unfinished,
       max(mean) FILTER (metric = 'truncated') AS truncated,
       max(mean) FILTER (metric = 'wrong_language') AS wrong_language,
       max(mean) FILTER (metric = 'failed') AS failed,
       max(mean) FILTER (metric = 'bleurt_cut') AS bleurt_cut,
       max(mean) FILTER (metric = 'bertscore_cut') AS bertscore_cut,
       max(n) FILTER (metric = 'repetition') AS n
FROM metrics
WHERE run_id = (SELECT run_id FROM runs WHERE status = 'done' AND kind = 'run' AND run_id IN (SELECT run_id FROM metrics) ORDER BY started_at DESC LIMIT 1)
  AND role NOT IN ('reviews', 'classifier')
GROUP BY role
ORDER BY role;
