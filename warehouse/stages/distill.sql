-- Pending training rounds, once the teacher has written enough to learn from. Grain: round.
SELECT round::INTEGER AS round FROM range(1, $rounds + 1) wanted(round)
ANTI JOIN (SELECT round FROM store.distill WHERE fingerprint = $fingerprint) USING (round)
WHERE (SELECT count(*) FROM feedback WHERE role = 'teacher' AND error IS NULL AND NOT truncated AND text <> '') >= $min_examples
   OR (SELECT count(*) FROM training_set) > 0
ORDER BY round;
