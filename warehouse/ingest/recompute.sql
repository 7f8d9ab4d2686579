-- Deletes what the stages made of reviews whose content is another now, so that they make it again.
CREATE OR REPLACE TEMP TABLE outdated AS
SELECT review_id FROM before JOIN reviews r USING (review_id)
WHERE content <> hash(r.text, r.liked, r.disliked, r.language, r.stars, r.label, r.business, r.product);

INSERT INTO store.changed SELECT review_id FROM outdated WHERE EXISTS (FROM store.kept);
DELETE FROM store.read WHERE review_id IN (FROM outdated);
DELETE FROM store.sentiment WHERE review_id IN (FROM outdated);
DELETE FROM store.emotions WHERE review_id IN (FROM outdated);
DELETE FROM store.themes WHERE review_id IN (FROM outdated);
DELETE FROM store.discover WHERE review_id IN (FROM outdated);
DELETE FROM store.feedback WHERE review_id IN (FROM outdated);
DELETE FROM store.generate WHERE review_id IN (FROM outdated);
DELETE FROM store.score WHERE review_id IN (FROM outdated);
