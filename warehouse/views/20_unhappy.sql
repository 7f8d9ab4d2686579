-- Reviews that the teacher writes for, with their emotions and themes: see is_unhappy. Grain: review_id.
CREATE OR REPLACE MACRO unhappy(most_stars) AS TABLE
SELECT r.review_id, r.text, r.language, r.stars, r.business, r.product,
       coalesce(e.labels, []) AS emotions, coalesce(t.themes, []) AS themes, r.blanked_at
FROM reviews r
LEFT JOIN sentiment s USING (review_id)
LEFT JOIN emotions e USING (review_id)
LEFT JOIN (
    SELECT review_id,
           list({'theme': theme, 'evidence': evidence, 'sentiment': sentiment, 'score': score, 'problem': problem}
                ORDER BY score NULLS LAST, theme) AS themes
    FROM themes GROUP BY review_id
) t USING (review_id)
WHERE NOT r.rating_only AND is_unhappy(s.label, r.stars, most_stars);
