-- Of all versions of a review, one at most is current.
SELECT review_id, count(*) AS n FROM audited GROUP BY review_id HAVING count(*) > 1;
