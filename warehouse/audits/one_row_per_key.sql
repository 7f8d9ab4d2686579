-- No stage wrote twice about a review.
SELECT 'read' AS stage, review_id, fingerprint FROM store.read SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'sentiment', review_id, fingerprint FROM store.sentiment SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'emotions', review_id, fingerprint FROM store.emotions SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'themes: ' || theme, review_id, fingerprint FROM store.themes SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'discover: ' || place, review_id, fingerprint FROM store.discover SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'feedback: ' || role, review_id, fingerprint FROM store.feedback SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'generate: ' || role, review_id, fingerprint FROM store.generate SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1
UNION ALL
SELECT 'score: ' || role, review_id, fingerprint FROM store.score SEMI JOIN audited USING (review_id) GROUP BY ALL HAVING count(*) > 1;
