-- A stage that ran left no gap: every review with words has its row, if only one with an error.
WITH latest AS (SELECT stages FROM runs WHERE status = 'running' ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1),
     ran AS (SELECT stage, fingerprint FROM (SELECT unnest(json_keys(stages)) AS stage FROM latest) JOIN store.current USING (stage))
SELECT 'read' AS stage, review_id FROM audited
ANTI JOIN (FROM store.read JOIN ran USING (fingerprint)) USING (review_id) WHERE NOT rating_only AND 'read' IN (SELECT stage FROM ran)
UNION ALL
SELECT 'sentiment', review_id FROM audited
ANTI JOIN (FROM store.sentiment JOIN ran USING (fingerprint)) USING (review_id) WHERE NOT rating_only AND 'sentiment' IN (SELECT stage FROM ran)
UNION ALL
SELECT 'emotions', review_id FROM audited
ANTI JOIN (FROM store.emotions JOIN ran USING (fingerprint)) USING (review_id) WHERE NOT rating_only AND 'emotions' IN (SELECT stage FROM ran);
