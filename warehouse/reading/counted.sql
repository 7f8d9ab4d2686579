-- Takes note of what was counted. In: temp tables `recounted` and `said_now`.
CREATE OR REPLACE TEMP TABLE said_before AS SELECT * FROM store.counted SEMI JOIN recounted USING (review_id);
DELETE FROM store.counted WHERE review_id IN (SELECT review_id FROM recounted);
INSERT INTO store.counted FROM said_now;
