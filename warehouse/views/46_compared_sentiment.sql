-- A review's sentiment as it may be compared across languages: the model's own shift per language (a row of language_shift) is
-- taken off its probabilities. In a language that was not measured it keeps its label.
CREATE OR REPLACE MACRO compared_label(label, negative, neutral, positive, shift) AS
    CASE WHEN label IS NULL OR shift.language IS NULL THEN label
         WHEN negative * exp(shift.negative) >= greatest(neutral * exp(shift.neutral), positive * exp(shift.positive)) THEN 'negative'
         WHEN neutral * exp(shift.neutral) >= positive * exp(shift.positive) THEN 'neutral'
         ELSE 'positive' END;

-- Grain: review_id.
CREATE OR REPLACE VIEW compared_sentiment AS
SELECT review_id, sentiment AS label,
       compared_label(sentiment, negative_probability, neutral_probability, positive_probability, l) AS compared
FROM findings LEFT JOIN language_shift l USING (language);
