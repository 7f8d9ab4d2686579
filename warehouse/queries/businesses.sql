-- Each business at a glance. Grain: business.
SELECT business, count(*) AS reviews, avg(stars) AS stars,
       count(*) FILTER (sentiment = 'negative') / nullif(count(sentiment), 0) AS negative_share,
       (SELECT t.theme FROM themes t JOIN reviews r USING (review_id)
        WHERE r.business = i.business AND t.sentiment = 'negative'
        GROUP BY t.theme ORDER BY count(*) DESC, t.theme LIMIT 1) AS top_complaint
FROM insights i WHERE business IS NOT NULL GROUP BY business ORDER BY negative_share DESC NULLS LAST, reviews DESC, business
LIMIT 30;
