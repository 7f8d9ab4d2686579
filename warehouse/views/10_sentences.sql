-- The sentences of each review as they were read: raw probabilities, before anything is decided. `wish`: that it asks for
-- an improvement. Grain: review_id, place (of its first character, counted from 0).
CREATE OR REPLACE VIEW sentences AS
SELECT review_id, s."start" AS place, substr(text, s."start" + 1, s."end" - s."start") AS sentence,
       s.negative, s.neutral, s.positive, s.wish,
       list_transform(s.themes, lambda t: {'theme': t.theme, 'probability': t.probability, 'negative': t.negative, 'positive': t.positive}) AS themes
FROM (SELECT review_id, unnest(sentences) AS s FROM read) JOIN reviews USING (review_id) WHERE blanked_at IS NULL;
