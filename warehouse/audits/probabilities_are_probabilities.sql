-- Three classes sum to 1, and the label is the largest of them.
SELECT review_id, label, negative, neutral, positive
FROM (SELECT review_id FROM audited) JOIN store.sentiment USING (review_id) JOIN store.current USING (fingerprint)
WHERE stage = 'sentiment' AND label IS NOT NULL AND (
    abs(negative + neutral + positive - 1) > 0.001
    OR greatest(negative, neutral, positive)
       > CASE label WHEN 'negative' THEN negative WHEN 'neutral' THEN neutral WHEN 'positive' THEN positive END);
