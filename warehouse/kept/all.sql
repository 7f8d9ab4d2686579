-- Puts the kept rows together anew, of all reviews.
DELETE FROM store.findings;
DELETE FROM store.mentions;
INSERT INTO store.findings BY NAME FROM findings_of('reviews');
INSERT INTO store.mentions BY NAME FROM mentions_of('reviews');
