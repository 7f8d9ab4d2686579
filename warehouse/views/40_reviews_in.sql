-- Reviews of a business, product, language, period and segment: see is_in_scope. Grain: review_id.
CREATE OR REPLACE MACRO reviews_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
SELECT * FROM reviews WHERE is_in_scope(business, product, language, reviewed_at, attributes, of_business, of_product, of_language, since, until, of_segment);
