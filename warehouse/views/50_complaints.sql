-- Every theme that a review complains of, and how severe the complaint is (see mentions). An overall verdict is none. Grain: review_id, theme.
CREATE OR REPLACE VIEW complaints AS
SELECT review_id, theme, evidence, score, probability, problem, problem_probability, severity FROM mentions WHERE complains;

-- Those of a scope (see is_in_scope), with the columns of `mentions`.
CREATE OR REPLACE MACRO complaints_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
SELECT * FROM mentions_in(of_business, of_product, of_language, since, until, of_segment) WHERE complains;
