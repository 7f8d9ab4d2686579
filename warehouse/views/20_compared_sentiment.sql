-- Each review's sentiment as it may be compared across languages: the model's own shift per language (language_shift) is taken
-- off. A language that was not measured keeps its labels. Grain: review_id.
CREATE OR REPLACE VIEW compared_sentiment AS
SELECT review_id, s.label,
       CASE WHEN s.label IS NULL OR l.language IS NULL THEN s.label
            WHEN s.negative * exp(l.negative) >= greatest(s.neutral * exp(l.neutral), s.positive * exp(l.positive)) THEN 'negative'
            WHEN s.neutral * exp(l.neutral) >= s.positive * exp(l.positive) THEN 'neutral'
            ELSE 'positive' END AS compared
FROM sentiment s JOIN reviews r USING (review_id) LEFT JOIN language_shift l ON l.language = r.language;
