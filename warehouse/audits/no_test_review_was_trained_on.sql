-- A review of the test split is in no training round of the same student, and no text is on both sides.
SELECT test.review_id, train.review_id AS trained_on
FROM store.training_set test
JOIN store.training_set train ON train.fingerprint = test.fingerprint
JOIN reviews a ON a.review_id = test.review_id
JOIN reviews b ON b.review_id = train.review_id
WHERE test.split = 'test' AND train.split <> 'test' AND (test.review_id = train.review_id OR (a.text <> '' AND lower(a.text) = lower(b.text)));
