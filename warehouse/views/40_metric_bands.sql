-- The metrics in the terms of the project that this one grew from (its README's bands for BLEURT, BERTScore and METEOR).
-- Conventions, not truths: a constant paragraph earns "weak" to "moderate" METEOR, and the bands were not made for
-- rescaled or stand-in values. Grain: run_id, role, metric.
CREATE OR REPLACE VIEW metric_bands AS
SELECT run_id, role, metric, n, mean, model,
       CASE metric
           WHEN 'bleurt' THEN CASE
               WHEN mean > 0.5 THEN 'very high similarity' WHEN mean >= 0.3 THEN 'good similarity'
               WHEN mean >= 0.1 THEN 'moderate similarity' WHEN mean >= 0 THEN 'weak similarity'
               ELSE 'very poor match' END
           WHEN 'bertscore_f1' THEN CASE
               WHEN mean > 0.9 THEN 'almost identical' WHEN mean >= 0.8 THEN 'very similar'
               WHEN mean >= 0.7 THEN 'good similarity' WHEN mean >= 0.5 THEN 'some overlap'
               ELSE 'poor similarity' END
           WHEN 'meteor' THEN CASE
               WHEN mean > 0.7 THEN 'very high overlap' WHEN mean >= 0.5 THEN 'good overlap'
               WHEN mean >= 0.3 THEN 'moderate similarity' WHEN mean >= 0.1 THEN 'weak similarity'
               ELSE 'poor similarity' END
       END AS band
FROM metrics
WHERE metric IN ('bleurt', 'bertscore_f1', 'meteor') AND mean IS NOT NULL;
