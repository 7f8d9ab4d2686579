-- Reviews that the teacher writes for: see is_unhappy. In: the name of a table or view with rows of `reviews`. Grain: review_id.
CREATE OR REPLACE MACRO unhappy_among(chosen, most_stars) AS TABLE
SELECT r.review_id FROM query_table(chosen) r LEFT JOIN (
    SELECT review_id, label FROM store.sentiment JOIN store.current USING (fingerprint) WHERE stage = 'sentiment'
) s USING (review_id)
WHERE NOT r.rating_only AND is_unhappy(s.label, r.stars, most_stars);

-- What is written about: reviews with their emotions and themes. In: the name of a table with their review_id. Grain: review_id.
CREATE OR REPLACE MACRO described(chosen) AS TABLE
WITH given AS (SELECT DISTINCT review_id FROM query_table(chosen))
SELECT r.review_id, r.text, r.language, r.stars, r.business, r.product,
       coalesce(e.labels, []) AS emotions, coalesce(t.themes, []) AS themes, r.blanked_at
FROM reviews_of(chosen) r
LEFT JOIN (FROM store.emotions JOIN store.current USING (fingerprint) SEMI JOIN given USING (review_id) WHERE stage = 'emotions') e USING (review_id)
LEFT JOIN (
    SELECT review_id,
           list({'theme': theme, 'evidence': evidence, 'sentiment': sentiment, 'score': score, 'problem': problem}
                ORDER BY score NULLS LAST, theme) AS themes
    FROM store.themes JOIN store.current USING (fingerprint) SEMI JOIN given USING (review_id)
    WHERE stage = 'themes' AND theme <> '' GROUP BY review_id
) t USING (review_id);

-- Both at once.
CREATE OR REPLACE MACRO unhappy(most_stars) AS TABLE
WITH everyone AS (FROM unhappy_among('reviews', most_stars)) FROM described('everyone');
