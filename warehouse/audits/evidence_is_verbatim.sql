-- Every quoted span stands in its review, letter for letter.
SELECT t.review_id, t.theme, t.evidence FROM themes t JOIN reviews r USING (review_id) WHERE NOT contains(r.text, t.evidence);
