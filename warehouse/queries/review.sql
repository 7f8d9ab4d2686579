-- What is known about one review? $id: a review_id, or its beginning. Grain: review_id.
SELECT * FROM insights WHERE starts_with(review_id, $id) ORDER BY review_id LIMIT coalesce($limit, 5);
