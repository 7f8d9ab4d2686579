-- The insights of a selection, as insights_in has them, and beside each review's sentiment the one to compare across languages
-- (compared_sentiment; where all are in one language there is nothing to compare, and it is the same), with the shift of its
-- language (NULL: not measured). Grain: review_id.
CREATE OR REPLACE MACRO compared_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
SELECT i.*, CASE WHEN min(i.language) OVER () < max(i.language) OVER () THEN c.compared ELSE i.sentiment END AS compared, l.shift
FROM insights_in(of_business, of_product, of_language, since, until, of_segment) i
LEFT JOIN compared_sentiment c USING (review_id) LEFT JOIN language_shift l ON l.language = i.language;
