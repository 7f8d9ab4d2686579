-- Three classes sum to 1, and the label is the largest of them.
WITH judged AS MATERIALIZED (  -- before the rest is looked at: of few reviews in a large table
    SELECT review_id, s.label, negative, neutral, positive
    FROM store.sentiment s JOIN store.current USING (fingerprint) SEMI JOIN audited USING (review_id) WHERE stage = 'sentiment'
)
SELECT * FROM judged
WHERE label IS NOT NULL AND (
    abs(negative + neutral + positive - 1) > 0.001
    OR greatest(negative, neutral, positive)
       > CASE label WHEN 'negative' THEN negative WHEN 'neutral' THEN neutral WHEN 'positive' THEN positive END);
