-- The whole warehouse in one row.
SELECT count(*) AS reviews, count(sentiment) AS judged, count(*) FILTER (sentiment = 'negative') AS negative,
       avg(stars) AS stars, count(stars) AS starred, min(reviewed_at)::DATE AS first_day, max(reviewed_at)::DATE AS last_day,
       count(DISTINCT business) AS businesses, count(feedback) AS answered
FROM insights;
