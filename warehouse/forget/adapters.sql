-- Rounds of training whose adapter had seen a review that is to be forgotten: in its own round, or in one that it went on
-- from. Test reviews were not seen. Grain: adapter.
SELECT d.adapter, count(*) FILTER (t.split = 'train') AS trained_on, count(*) FILTER (t.split = 'validation') AS validated_on
FROM store.training_set t JOIN store.distill d ON d.fingerprint = t.fingerprint AND d.round >= t.round
WHERE t.review_id IN (SELECT review_id FROM gone) AND t.split <> 'test' AND d.adapter IS NOT NULL
GROUP BY d.adapter ORDER BY d.adapter;
