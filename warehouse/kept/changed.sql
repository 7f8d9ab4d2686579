-- Puts the kept rows of the reviews in store.changed together anew.
CREATE OR REPLACE TEMP TABLE renewed AS FROM reviews_of('store.changed');
DELETE FROM store.findings WHERE review_id IN (SELECT review_id FROM store.changed);
DELETE FROM store.mentions WHERE review_id IN (SELECT review_id FROM store.changed);
INSERT INTO store.findings BY NAME FROM findings_of('renewed');
INSERT INTO store.mentions BY NAME FROM mentions_of('renewed');
DROP TABLE renewed;
