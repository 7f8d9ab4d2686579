-- Reviews that need an answer today (see needs_reply): written in the seven days up to `until` or the last review, or
-- undated and new with the latest run. Grain: review_id.
-- Those that the owner has answered, or that hold no words, are left out.
-- urgency, 0 to 1: the mean of the worst complaint's severity, the review's negativity and (5 - stars) / 4, of those that
-- are known.
-- problem, problem_name: of the worst complaint that is a case of a known one; reply_say, reply_avoid: what a public reply to it
-- must and must not say.
CREATE OR REPLACE MACRO needs_answer(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH scope AS MATERIALIZED (
    SELECT i.*, r.run_id, split_part(r.native_id, ':', 1) AS platform FROM insights_in(of_business, of_product, of_language, since, until, of_segment) i
    JOIN reviews r USING (review_id)
), latest AS (
    SELECT (SELECT run_id FROM (SELECT DISTINCT run_id FROM reviews) LEFT JOIN runs USING (run_id)
            ORDER BY number DESC NULLS LAST, run_id DESC LIMIT 1) AS run_id,
           (SELECT coalesce(until::DATE, max(reviewed_at)::DATE) FROM scope) AS last_day
)
SELECT s.review_id, s.business, s.product, s.reviewed_at::DATE AS day, s.language, s.stars, s.sentiment, s.emotions,
       c.themes, list_avg([c.severity, greatest(0, -s.sentiment_score)::DOUBLE, (5 - s.stars) / 4]) AS urgency, s.text, s.platform,
       c.known.problem, c.known.problem_name, c.known.reply_say, c.known.reply_avoid
FROM scope s
CROSS JOIN latest
LEFT JOIN (
    SELECT review_id, max(severity) AS severity,
           list_sort(list({'score': score, 'theme': theme, 'evidence': evidence, 'sentiment': 'negative',
                                'problem': problem})) AS themes,
           first({'problem': problem, 'problem_name': name, 'reply_say': reply_say, 'reply_avoid': reply_avoid}
                 ORDER BY score, theme) FILTER (name IS NOT NULL) AS known
    FROM complaints LEFT JOIN (SELECT problem, name, reply_say, reply_avoid FROM problems) USING (problem)
    GROUP BY review_id
) c USING (review_id)
WHERE NOT s.rating_only AND s.text <> '' AND s.owner_reply IS NULL AND needs_reply(s.sentiment, s.stars)
  AND (s.reviewed_at >= last_day - 6 OR (s.reviewed_at IS NULL AND s.run_id = latest.run_id));
