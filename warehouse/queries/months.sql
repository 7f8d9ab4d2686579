-- Reviews and negative share by month. Grain: month.
SELECT strftime(date_trunc('month', reviewed_at), '%Y-%m') AS month, count(*) AS reviews, avg(stars) AS stars,
       count(*) FILTER (sentiment = 'negative') / nullif(count(sentiment), 0) AS negative_share
FROM insights WHERE reviewed_at IS NOT NULL GROUP BY ALL ORDER BY month DESC LIMIT 12;
