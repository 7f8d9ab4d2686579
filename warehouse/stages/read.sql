-- Reviews that were not read under this fingerprint. Grain: review_id.
SELECT review_id, text, language FROM candidates
ANTI JOIN (SELECT review_id FROM store.read WHERE fingerprint = $fingerprint) USING (review_id)
ORDER BY review_id;
