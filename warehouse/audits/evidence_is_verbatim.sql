-- Every quoted span occurs verbatim in its review.
SELECT t.review_id, t.theme, t.evidence
FROM store.themes t JOIN store.current USING (fingerprint) JOIN audited r USING (review_id)
WHERE stage = 'themes' AND NOT contains(r.text, t.evidence)
UNION ALL
SELECT d.review_id, d.theme, d.evidence FROM store.discover d JOIN audited r USING (review_id)
WHERE d.evidence <> substr(r.text, d.place + 1, length(d.evidence));
