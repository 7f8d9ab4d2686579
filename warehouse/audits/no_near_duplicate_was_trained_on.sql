-- The current student was not trained on a near-duplicate of a test review either.
SELECT * FROM training_leaks;
