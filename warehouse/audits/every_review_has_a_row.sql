-- A stage that ran left no gap: every review with words has its row, if only one with an error.
WITH latest AS (SELECT stages FROM runs WHERE status = 'running' ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1),
     ran AS (SELECT unnest(json_keys(stages)) AS stage FROM latest)
SELECT 'read' AS stage, review_id FROM reviews ANTI JOIN read USING (review_id) WHERE NOT rating_only AND 'read' IN (FROM ran)
UNION ALL
SELECT 'sentiment', review_id FROM reviews ANTI JOIN sentiment USING (review_id) WHERE NOT rating_only AND 'sentiment' IN (FROM ran)
UNION ALL
SELECT 'emotions', review_id FROM reviews ANTI JOIN emotions USING (review_id) WHERE NOT rating_only AND 'emotions' IN (FROM ran);
