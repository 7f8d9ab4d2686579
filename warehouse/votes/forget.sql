-- Removes the votes on the advice for one review.
DELETE FROM votes WHERE review_id = ?;
