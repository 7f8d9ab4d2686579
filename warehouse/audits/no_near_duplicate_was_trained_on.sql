-- No test review of the current student was trained on in other words either.
SELECT * FROM training_leaks;
