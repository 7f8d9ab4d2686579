-- What to do: the suggestions from many reviews, merged. Grain: action.
-- Titles and quotes in front of a suggestion ("Portion size (“tiny”): Review ...") are removed. Suggestions with the same
-- words are one, whatever their order, case and punctuation; so are those that share 60 % or more of all their words
-- (Jaccard, among the 1,000 most frequent), under the most frequent wording.
--   reviews   distinct reviews with this suggestion: its expected reach, with share (of the reviews with words) and Wilson's interval
--   theme     the most common complaint of these reviews; severity is its mean, pain = reviews * severity
--   quotes    up to three of their complaints about it, verbatim, from different businesses where there are several
CREATE OR REPLACE MACRO actions(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH scope AS MATERIALIZED (
    SELECT review_id, business, suggestions FROM insights_in(of_business, of_product, of_language, since, until, of_segment)
    WHERE NOT rating_only
), steps AS MATERIALIZED (
    SELECT review_id,
           trim(regexp_replace(regexp_replace(suggestion,
               '^[^.:!?“"«‹(]{2,60}\([“"«‹].*?[”"»›]\):\s+', ''),     -- a title with a quote
               '^\p{Lu}[^.:!?“"«‹(]{2,60}:\s+(\p{Lu}|\p{Lo})', '\1')  -- a title; after a colon inside a sentence comes a lower-case letter
           ) AS step
    FROM (SELECT review_id, unnest(suggestions) AS suggestion FROM scope)
    WHERE trim(suggestion) <> ''
), wordings AS MATERIALIZED (
    SELECT *, CASE WHEN words = [] THEN lower(step) ELSE array_to_string(words, ' ') END AS key
    FROM (
        SELECT step, count(*) AS n,
               list_sort(list_distinct(list_transform(regexp_extract_all(lower(step), '[\p{L}\p{N}]{3,}'),
                                                      lambda word: word[:6]))) AS words
        FROM steps GROUP BY step
    )
), merged AS MATERIALIZED (
    SELECT key, words, arg_min(step, (-n, step)) AS action, sum(n)::BIGINT AS n FROM wordings GROUP BY key, words
), frequent AS MATERIALIZED (
    SELECT key, n, len(words) AS size, unnest(words) AS word
    FROM (FROM merged ORDER BY n DESC, key LIMIT 1000)
), alike AS (
    SELECT a.key, b.key AS other, b.n
    FROM frequent a JOIN frequent b USING (word)
    WHERE a.key <> b.key
    GROUP BY a.key, b.key, b.n, a.n, a.size, b.size
    HAVING count(*) >= 0.6 * (a.size + b.size - count(*)) AND (b.n, a.key) > (a.n, b.key)
), leaders AS MATERIALIZED (
    SELECT key, coalesce(arg_min(other, (-alike.n, other)), key) AS leader
    FROM merged LEFT JOIN alike USING (key) GROUP BY key
), heads AS (
    SELECT l.key, coalesce(m.leader, l.leader) AS head FROM leaders l LEFT JOIN leaders m ON m.key = l.leader
), supporters AS MATERIALIZED (
    SELECT DISTINCT head, review_id FROM steps JOIN wordings USING (step) JOIN heads USING (key)
), counted AS (
    SELECT head, count(*) AS reviews, list(review_id ORDER BY review_id) AS review_ids FROM supporters GROUP BY head
), variants AS (
    SELECT head, count(*) AS wordings FROM wordings JOIN heads USING (key) GROUP BY head
), pains AS MATERIALIZED (
    SELECT *, count(*) OVER (PARTITION BY theme) AS everywhere FROM complaints SEMI JOIN scope USING (review_id)
), themed AS (
    SELECT head, theme, avg(severity) AS severity, count(*) AS n, any_value(everywhere) AS everywhere
    FROM supporters JOIN pains USING (review_id)
    GROUP BY head, theme
    QUALIFY row_number() OVER (PARTITION BY head ORDER BY count(*) DESC, any_value(everywhere), theme) = 1
), evidence AS (
    SELECT s.head, s.review_id, r.business, c.evidence,
           (length(c.evidence) BETWEEN 20 AND 160)::INTEGER + c.severity AS weight
    FROM supporters s
    JOIN themed t USING (head)
    JOIN pains c ON c.review_id = s.review_id AND c.theme = t.theme
    JOIN scope r ON r.review_id = s.review_id
), quoted AS (
    SELECT head, list({'review_id': review_id, 'business': business, 'evidence': evidence}
                      ORDER BY turn, weight DESC, review_id)[:3] AS quotes
    FROM (SELECT *, row_number() OVER (PARTITION BY head, business ORDER BY weight DESC, review_id) AS turn FROM evidence)
    WHERE turn <= 3 GROUP BY head
)
SELECT m.action, t.theme, c.reviews, whole.of_reviews,
       c.reviews / of_reviews AS share, wilson_low(c.reviews, of_reviews) AS share_low,
       wilson_high(c.reviews, of_reviews) AS share_high, weight_of(c.reviews) AS weight,
       t.severity, c.reviews * coalesce(t.severity, 0) AS pain, v.wordings, c.review_ids, coalesce(q.quotes, []) AS quotes
FROM counted c
CROSS JOIN (SELECT count(*) AS of_reviews FROM scope) whole
JOIN merged m ON m.key = c.head
JOIN variants v USING (head)
LEFT JOIN themed t USING (head)
LEFT JOIN quoted q USING (head);
