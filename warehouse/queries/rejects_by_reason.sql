-- Why did records not become reviews? Grain: source, reason.
SELECT source, reason, count(*) AS n FROM rejects GROUP BY ALL ORDER BY n DESC, source, reason LIMIT coalesce($limit, 30);
