-- The findings of a selection, as findings_in has them, and beside each review's sentiment the one to compare across languages
-- (compared_label; where all are in one language there is nothing to compare, and it is the same), with the shift of its
-- language (NULL: not measured). Grain: review_id.
CREATE OR REPLACE MACRO compared_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH spoken AS (
    SELECT min(language) < max(language) AS several FROM findings_in(of_business, of_product, of_language, since, until, of_segment)
)
SELECT f.*, l.shift,
       CASE WHEN several THEN compared_label(sentiment, negative_probability, neutral_probability, positive_probability, l)
            ELSE sentiment END AS compared
FROM findings_in(of_business, of_product, of_language, since, until, of_segment) f CROSS JOIN spoken LEFT JOIN language_shift l USING (language);
