-- Of all versions of a review, one at most is current.
SELECT review_id, count(*) AS n FROM reviews GROUP BY review_id HAVING count(*) > 1;
