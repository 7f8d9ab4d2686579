-- One row per review: everything a reader wants side by side. Grain: review_id.
-- The teacher's text until the student's may be shown (student_verdict), the student's from then on.
CREATE OR REPLACE VIEW insights AS
WITH chosen AS (
    SELECT review_id, role, model, text, suggestions
    FROM feedback
    WHERE error IS NULL
      AND (role = 'teacher'
           OR (role = 'student' AND (SELECT coalesce(bool_and(shown), false) FROM student_verdict)))
    QUALIFY row_number() OVER (PARTITION BY review_id ORDER BY role = 'student' DESC) = 1
)
SELECT r.review_id, r.source, r.business, r.product, r.reviewed_at, r.language, r.stars, r.text,
       s.label AS sentiment, s.positive - s.negative AS sentiment_score,
       e.labels AS emotions,
       coalesce(t.themes, []) AS themes,
       f.text AS feedback, f.suggestions, f.role AS feedback_role, f.model AS feedback_model,
       r.rating_only, r.reply AS owner_reply, r.replied_at, r.attributes, s.text_label AS text_sentiment
FROM reviews r
LEFT JOIN sentiment s USING (review_id)
LEFT JOIN emotions e USING (review_id)
LEFT JOIN (
    -- Sorted as a list: ORDER BY within an aggregate sorts each group on its own, which takes ten times as long.
    SELECT review_id, list_transform(list_sort(list({'score': score, 'theme': theme})), lambda t: t.theme) AS themes
    FROM themes GROUP BY review_id
) t USING (review_id)
LEFT JOIN chosen f USING (review_id);
