-- The themes that reviews mention, each with what its review says besides. Grain: review_id, theme. A run keeps its rows in
-- store.mentions, and the published file shows those (pipeline/core/kept.py).
-- severity, 0 to 1, of a complaint: the mean of how negative the clause is (negative minus positive probability, at least 0)
-- and of the strongest negative emotion of the whole review; if one of the two was not judged, the other alone.
-- In: as of findings_of.
CREATE OR REPLACE MACRO mentions_of(chosen) AS TABLE
WITH given AS (FROM query_table(chosen)), felt AS (
    SELECT review_id, list_max(list_transform(negative_emotions(), lambda name: probabilities[name])) AS worst
    FROM store.emotions JOIN store.current USING (fingerprint) SEMI JOIN given USING (review_id) WHERE stage = 'emotions'
)
SELECT t.review_id, t.theme, t.sentiment, t.evidence, t.score, t.probability, t.problem, t.problem_probability,
       t.sentiment = 'negative' AND t.theme <> 'general' AS complains,
       CASE WHEN complains THEN coalesce((greatest(0, -t.score) + e.worst) / 2, greatest(0, -t.score), e.worst)::DOUBLE END AS severity,
       r.business, r.product, r.language, r.stars, r.reviewed_at, r.attributes, r.rating_only, r.run_id
FROM store.themes t JOIN store.current c ON c.stage = 'themes' AND c.fingerprint = t.fingerprint
JOIN given r USING (review_id) LEFT JOIN felt e USING (review_id)
WHERE t.theme <> '';

CREATE OR REPLACE VIEW mentions AS FROM mentions_of('reviews');

-- Those of a scope: see is_in_scope.
CREATE OR REPLACE MACRO mentions_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
SELECT * FROM mentions WHERE is_in_scope(business, product, language, reviewed_at, attributes, of_business, of_product, of_language, since, until, of_segment);
