-- Unhappy reviews, the same ones each time: by the hashes that are their ids. Grain: review_id.
SELECT * FROM unhappy($max_stars) ORDER BY review_id LIMIT $limit
