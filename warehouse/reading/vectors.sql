-- Each sentence with its vector (float16, unit length). Grain: review_id, place.
SELECT review_id, s."start" AS place, s."end" - s."start" AS length, s.vector
FROM (SELECT review_id, unnest(sentences) AS s FROM read) WHERE s.vector IS NOT NULL;
