-- Made from pipeline/metrics/table.py by python -m tests.test_docs: do not edit.

-- What the metrics of texts are called, what they compare a text with, and whether they are signals. Grain: metric.
CREATE OR REPLACE VIEW text_metrics AS
FROM (VALUES
    ('bleurt', 'BLEURT', 'reference', false, true),
    ('bertscore_f1', 'BERTScore F1', 'reference', false, true),
    ('meteor', 'METEOR', 'reference', false, true),
    ('grounding', 'Grounding (reciprocal rank)', 'review', false, true),
    ('grounding_r1', 'Grounding (found first of 100)', 'review', false, true),
    ('judge', 'Judge (prefers it to the teacher''s)', 'reference', false, true),
    ('prompt_echo', 'prompt echoed', 'text', true, false),
    ('copied_share', 'copied', 'review', true, false),
    ('repetition', 'repeated', 'text', true, false),
    ('length_ratio', 'length', 'reference', true, NULL),
    ('unfinished', 'unfinished', 'text', true, false),
    ('truncated', 'cut by token limit', 'text', true, false),
    ('wrong_language', 'wrong language', 'text', true, false),
    ('failed', 'failed', 'text', true, false),
    ('bleurt_cut', 'not read to the end by BLEURT', 'reference', true, false),
    ('bertscore_cut', 'by BERTScore', 'reference', true, false)
) known(metric, title, against, signal, higher_is_better);

-- Means of the signals, which show that a text is broken or games the other metrics. Grain: run_id, role.
CREATE OR REPLACE VIEW quality_signals AS
SELECT run_id, role,
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
FROM metrics WHERE role NOT IN ('reviews', 'classifier') GROUP BY run_id, role;
