-- Every theme that a review complains of, and how severe the complaint is. An overall verdict is none. Grain: review_id, theme.
-- severity, 0 to 1: the mean of how negative the clause is (negative minus positive probability, at least 0)
-- and of the strongest negative emotion of the whole review; if one of the two was not judged, the other alone.
CREATE OR REPLACE VIEW complaints AS
SELECT t.review_id, t.theme, t.evidence, t.score, t.probability, t.problem, t.problem_probability,
       coalesce((greatest(0, -t.score) + e.worst) / 2, greatest(0, -t.score), e.worst)::DOUBLE AS severity
FROM themes t
LEFT JOIN (
    SELECT review_id,
           list_max(list_transform(negative_emotions(), lambda name: probabilities[name])) AS worst
    FROM emotions
) e USING (review_id)
WHERE t.sentiment = 'negative' AND t.theme <> 'general';
