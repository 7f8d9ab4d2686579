-- Votes on what each model advised. Grain: model.
SELECT model, sum(vote = 1) AS up, sum(vote = -1) AS down, count(DISTINCT review_id) AS reviews
FROM votes GROUP BY model ORDER BY model;
