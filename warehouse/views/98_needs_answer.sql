-- Reviews that need an answer today (see needs_reply): written in the seven days up to `until` or the last review, or
-- undated and new with the latest run. Grain: review_id.
-- Those that the owner has answered, or that hold no words, are left out.
-- urgency, 0 to 1: the mean of the worst complaint's severity, the review's negativity and (5 - stars) / 4, of those that
-- are known.
-- problem, problem_name: of the worst complaint that is a case of a known one; reply_say, reply_avoid: what a public reply to it
-- must and must not say.
CREATE OR REPLACE MACRO needs_answer(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH latest AS (
    SELECT (SELECT run_id FROM (SELECT DISTINCT run_id FROM reviews) LEFT JOIN runs USING (run_id)
            ORDER BY number DESC NULLS LAST, run_id DESC LIMIT 1) AS latest_run,
           (SELECT coalesce(until::DATE, max(reviewed_at)::DATE) FROM reviews_in(of_business, of_product, of_language, since, until, of_segment)) AS last_day
), waiting AS MATERIALIZED (
    SELECT f.* EXCLUDE (text, feedback, suggestions, owner_reply)
    FROM findings_in(of_business, of_product, of_language, since, until, of_segment) f CROSS JOIN latest
    WHERE NOT rating_only AND has_text AND NOT answered AND needs_reply(sentiment, stars)
      AND (reviewed_at >= last_day - 6 OR (reviewed_at IS NULL AND run_id = latest_run))
), complained AS (
    SELECT review_id, max(severity) AS severity,
           list_sort(list({'score': score, 'theme': theme, 'evidence': evidence, 'sentiment': 'negative',
                                'problem': problem})) AS themes,
           first({'problem': problem, 'problem_name': name, 'reply_say': reply_say, 'reply_avoid': reply_avoid}
                 ORDER BY score, theme) FILTER (name IS NOT NULL) AS known
    FROM complaints LEFT JOIN (SELECT problem, name, reply_say, reply_avoid FROM problems) USING (problem)
    SEMI JOIN waiting USING (review_id) GROUP BY review_id
)
SELECT w.review_id, w.business, w.product, w.reviewed_at::DATE AS day, w.language, w.stars, w.sentiment, w.emotions,
       c.themes, list_avg([c.severity, greatest(0, -w.sentiment_score)::DOUBLE, (5 - w.stars) / 4]) AS urgency, r.text, w.platform,
       c.known.problem, c.known.problem_name, c.known.reply_say, c.known.reply_avoid
FROM waiting w JOIN reviews r USING (review_id) LEFT JOIN complained c USING (review_id);
