-- Unhappy reviews, the same ones each time: by the hashes that are their ids. Grain: review_id.
SELECT * EXCLUDE (blanked_at) FROM unhappy($max_stars) WHERE blanked_at IS NULL ORDER BY review_id LIMIT $limit
