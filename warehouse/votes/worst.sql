-- The five suggestions with the worst balance of votes. Grain: suggestion.
SELECT suggestion, sum(vote = 1) AS up, sum(vote = -1) AS down
FROM votes GROUP BY suggestion HAVING sum(vote = -1) > sum(vote = 1)
ORDER BY sum(vote), suggestion LIMIT 5;
