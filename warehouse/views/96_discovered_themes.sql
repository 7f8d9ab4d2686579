-- Complaints that the playbook has no aspect for, each with at least five of the selected reviews. Grain: theme.
-- Parameters as in reviews_in; NULL means all.
--   share   of all selected reviews with words, in any language, with Wilson's interval; themes are discovered in English only
--   quotes  up to three, from different reviews, verbatim: those nearest to the centroid that are easy to read
CREATE OR REPLACE MACRO discovered_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH scope AS MATERIALIZED (
    SELECT review_id, business FROM reviews_in(of_business, of_product, of_language, since, until, of_segment) WHERE NOT rating_only
), mentions AS (
    SELECT d.theme, d.review_id, s.business, d.evidence, d.closeness,
           length(d.evidence) BETWEEN 20 AND 160 AS readable
    FROM discover d JOIN scope s USING (review_id)
    WHERE d.theme <> ''
    QUALIFY row_number() OVER (PARTITION BY d.theme, d.review_id ORDER BY readable DESC, d.closeness DESC, d.place) = 1
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY theme, evidence ORDER BY review_id) > 1 AS repeated FROM mentions
), counted AS (
    SELECT theme, count(*) AS reviews, list(review_id ORDER BY review_id) AS review_ids,
           coalesce(list({'review_id': review_id, 'business': business, 'evidence': evidence}
                         ORDER BY repeated, readable DESC, closeness DESC, review_id) FILTER (evidence <> ''), [])[:3] AS quotes
    FROM ranked GROUP BY theme HAVING count(*) >= 5
)
SELECT c.theme, t.name, t.words, c.reviews, whole.of_reviews, c.reviews / of_reviews AS share,
       wilson_low(c.reviews, of_reviews) AS share_low, wilson_high(c.reviews, of_reviews) AS share_high,
       weight_of(c.reviews) AS weight, c.quotes, c.review_ids, t.run_id AS founded_by
FROM counted c
CROSS JOIN (SELECT count(*) AS of_reviews FROM scope) whole
JOIN store.discovered t ON t.theme = c.theme
JOIN store.current v ON v.stage = 'discover' AND v.fingerprint = t.fingerprint;

CREATE OR REPLACE VIEW discovered_themes AS FROM discovered_in(NULL, NULL, NULL, NULL, NULL);
