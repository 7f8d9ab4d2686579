-- What to do: the remedies of the problems that customers complain of, each problem once. Grain: problem.
--   action    the remedy for good; cause: what usually lies behind the problem; customer: what to do for those who complained
--   who       should act; effort: talk (with the team, or a changed habit), purchase, project (weeks of work)
--   measure   the number that shows whether it helps
--   reviews   reviews that complain of the problem, with share (of the reviews with words) and Wilson's interval
--   grade     of the problem: 4 health, safety or law; 3 the purpose is lost, or real money; 2 a fault; 1 an annoyance
--   pain      reviews * severity (mean of the complaints', see complaints) * grade / 2
--   stars_effect  mean stars of these reviews minus those of all others; a correlation, not a cause
--   quotes    up to three of the complaints, verbatim, from different businesses where there are several
CREATE OR REPLACE MACRO actions(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH scope AS MATERIALIZED (
    SELECT review_id, business, stars FROM reviews_in(of_business, of_product, of_language, since, until, of_segment)
    WHERE NOT rating_only
), whole AS (
    SELECT count(*) AS of_reviews, count(stars) AS n, coalesce(sum(stars), 0) AS total FROM scope
), cases AS MATERIALIZED (
    -- A review that complains of a problem twice, under two themes, counts once.
    SELECT review_id, problem, max(severity) AS severity, arg_max(evidence, coalesce(probability, 0)) AS evidence,
           any_value(business) AS business, any_value(stars) AS stars
    FROM complaints_in(of_business, of_product, of_language, since, until, of_segment) WHERE problem IS NOT NULL AND NOT rating_only
    GROUP BY review_id, problem
), counted AS (
    SELECT problem, count(*) AS reviews, avg(severity) AS severity, count(stars) AS n, coalesce(sum(stars), 0) AS total,
           list(review_id ORDER BY review_id) AS review_ids
    FROM cases GROUP BY problem
), quoted AS (
    SELECT problem, coalesce(list({'review_id': review_id, 'business': business, 'evidence': evidence}
                                  ORDER BY turn, weight DESC, review_id) FILTER (evidence <> ''), [])[:3] AS quotes
    FROM (
        SELECT *, (length(evidence) BETWEEN 20 AND 160)::INTEGER + severity AS weight,
               row_number() OVER (PARTITION BY problem, business
                                  ORDER BY (length(evidence) BETWEEN 20 AND 160)::INTEGER + severity DESC, review_id) AS turn
        FROM cases
    )
    WHERE turn <= 3 GROUP BY problem
)
SELECT p.problem, p.name, array_to_string(p.fix, ' ') AS action, p.cause, p.customer, p.who, p.effort, p.measure, p.theme,
       c.reviews, w.of_reviews, c.reviews / w.of_reviews AS share, wilson_low(c.reviews, w.of_reviews) AS share_low,
       wilson_high(c.reviews, w.of_reviews) AS share_high, weight_of(c.reviews) AS weight,
       c.severity, p.severity AS grade, c.reviews * coalesce(c.severity, 0) * p.severity / 2 AS pain,
       c.total / nullif(c.n, 0) - (w.total - c.total) / nullif(w.n - c.n, 0) AS stars_effect,
       c.review_ids, q.quotes
FROM counted c CROSS JOIN whole w JOIN problems p USING (problem) JOIN quoted q USING (problem);
