-- Records that did not become a review, by reason. Grain: source, reason.
SELECT source, reason, count(*) AS n FROM rejects GROUP BY ALL ORDER BY n DESC, source, reason LIMIT 30;
