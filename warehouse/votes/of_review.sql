-- How many votes there are on the advice for one review.
SELECT count(*) FROM votes WHERE review_id = ?;
