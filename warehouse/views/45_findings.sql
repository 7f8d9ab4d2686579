-- Each review with all that was found in it. Grain: review_id. A run keeps its rows in store.findings, and the published file shows
-- those (pipeline/core/kept.py). `words`: between blanks, or characters in Chinese and Japanese.
-- The teacher's text until the student's may be shown (student_verdict), the student's from then on.
-- In: the name of a table or view with rows of `reviews`. Semi-joins, as few rows are asked of large tables at a time.
CREATE OR REPLACE MACRO findings_of(chosen) AS TABLE
WITH given AS (FROM query_table(chosen)), written AS (
    SELECT review_id, role, model, text, suggestions FROM (
        SELECT * FROM store.feedback JOIN store.current USING (fingerprint) WHERE stage = 'feedback'
        UNION ALL BY NAME SELECT * FROM store.generate JOIN store.current USING (fingerprint) WHERE stage = 'generate'
    ) SEMI JOIN given USING (review_id)
    WHERE error IS NULL
      AND (role = 'teacher'
           OR (role = 'student' AND (SELECT coalesce(bool_and(shown), false) FROM student_verdict)))
    QUALIFY row_number() OVER (PARTITION BY review_id ORDER BY role = 'student' DESC) = 1
), spoken_of AS (
    -- Sorted as a list: ORDER BY within an aggregate sorts each group on its own, which takes ten times as long.
    SELECT review_id, list_transform(list_sort(list({'score': score, 'theme': theme})), lambda t: t.theme) AS themes
    FROM store.themes JOIN store.current USING (fingerprint) SEMI JOIN given USING (review_id)
    WHERE stage = 'themes' AND theme <> '' GROUP BY review_id
)
SELECT r.review_id, r.source, r.business, r.product, r.reviewed_at, r.language, r.stars, r.text,
       s.label AS sentiment, s.positive - s.negative AS sentiment_score,
       e.labels AS emotions,
       coalesce(t.themes, []) AS themes,
       f.text AS feedback, f.suggestions, f.role AS feedback_role, f.model AS feedback_model,
       r.rating_only, r.reply AS owner_reply, r.replied_at, r.attributes, s.text_label AS text_sentiment,
       f.text IS NOT NULL AS advised, r.reply IS NOT NULL AS answered, r.text <> '' AS has_text,
       CASE WHEN r.words IS NOT NULL THEN r.words WHEN r.language IN ('zh', 'ja') THEN length(r.text)
            ELSE length(r.text) - length(replace(replace(r.text, ' ', ''), chr(10), '')) + 1 END AS words,
       split_part(r.native_id, ':', 1) AS platform, r.run_id, r.label, coalesce(s.trained_on, false) AS trained_on,
       s.negative AS negative_probability, s.neutral AS neutral_probability, s.positive AS positive_probability
FROM given r
LEFT JOIN (FROM store.sentiment JOIN store.current USING (fingerprint) SEMI JOIN given USING (review_id) WHERE stage = 'sentiment') s USING (review_id)
LEFT JOIN (FROM store.emotions JOIN store.current USING (fingerprint) SEMI JOIN given USING (review_id) WHERE stage = 'emotions') e USING (review_id)
LEFT JOIN spoken_of t USING (review_id)
LEFT JOIN written f USING (review_id);

CREATE OR REPLACE VIEW findings AS FROM findings_of('reviews');

-- Those of a scope: see is_in_scope.
CREATE OR REPLACE MACRO findings_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
SELECT * FROM findings WHERE is_in_scope(business, product, language, reviewed_at, attributes, of_business, of_product, of_language, since, until, of_segment);
