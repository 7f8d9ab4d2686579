-- Reviews that the teacher writes for: see is_unhappy. Grain: review_id.
CREATE OR REPLACE MACRO unhappy_reviews(most_stars) AS TABLE
SELECT r.review_id FROM reviews r LEFT JOIN sentiment s USING (review_id)
WHERE NOT r.rating_only AND is_unhappy(s.label, r.stars, most_stars);

-- What is written about: reviews with their emotions and themes. In: the name of a table with their review_id. Grain: review_id.
CREATE OR REPLACE MACRO described(chosen) AS TABLE
WITH given AS (SELECT DISTINCT review_id FROM query_table(chosen))
SELECT r.review_id, r.text, r.language, r.stars, r.business, r.product,
       coalesce(e.labels, []) AS emotions, coalesce(t.themes, []) AS themes, r.blanked_at
FROM reviews r SEMI JOIN given USING (review_id)
LEFT JOIN (FROM emotions SEMI JOIN given USING (review_id)) e USING (review_id)
LEFT JOIN (
    SELECT review_id,
           list({'theme': theme, 'evidence': evidence, 'sentiment': sentiment, 'score': score, 'problem': problem}
                ORDER BY score NULLS LAST, theme) AS themes
    FROM themes SEMI JOIN given USING (review_id) GROUP BY review_id
) t USING (review_id);

-- Both at once.
CREATE OR REPLACE MACRO unhappy(most_stars) AS TABLE
WITH everyone AS (FROM unhappy_reviews(most_stars)) FROM described('everyone');
