-- Removes the texts of the reviews in the temp table `expired`, and all that quotes them. Stars, labels, themes, scores and whatever
-- is counted stay: an empty text stands where there was one, so that counts of texts stay too.
CREATE OR REPLACE TEMP TABLE expired_texts AS
SELECT text FROM store.feedback WHERE review_id IN (FROM expired) AND text <> ''
UNION SELECT completion FROM store.training_set WHERE review_id IN (FROM expired) AND completion <> '';

INSERT INTO store.changed SELECT review_id FROM expired WHERE EXISTS (FROM store.kept);

UPDATE store.reviews SET
    words = length(text) - CASE WHEN language IN ('zh', 'ja') THEN 0 ELSE length(replace(replace(text, ' ', ''), chr(10), '')) - 1 END,
    text = '', liked = left(liked, 0), disliked = left(disliked, 0), reply = left(reply, 0), blanked_at = get_current_timestamp()::TIMESTAMP
WHERE review_id IN (FROM expired) AND blanked_at IS NULL;

UPDATE store.read SET vector = NULL, sentences = list_transform(sentences, lambda s: {
    'start': s."start", 'end': s."end", 'negative': s.negative, 'neutral': s.neutral, 'positive': s.positive, 'wish': s.wish,
    'vector': NULL::BLOB, 'themes': s.themes
}) WHERE review_id IN (FROM expired);
UPDATE store.themes SET evidence = NULL WHERE review_id IN (FROM expired);
UPDATE store.discover SET evidence = NULL, vector = NULL WHERE review_id IN (FROM expired);
UPDATE store.feedback SET text = left(text, 0), suggestions = list_transform(suggestions, lambda s: ''), raw_output = left(raw_output, 0),
    faults = list_transform(faults, lambda f: regexp_replace(f, '"[^"]*"|number \S+|name \S+', '…', 'g'))
WHERE review_id IN (FROM expired);
-- Controls of other reviews repeat the teacher's text for one of these.
UPDATE store.generate SET text = left(text, 0), suggestions = list_transform(suggestions, lambda s: ''), raw_output = left(raw_output, 0)
WHERE review_id IN (FROM expired)
   OR (role IN ('control_nearest', 'control_shuffled') AND text IN (FROM expired_texts));
UPDATE store.score SET judge_reason = left(judge_reason, 0) WHERE review_id IN (FROM expired);
UPDATE store.training_set SET prompt = '', completion = '', target = left(target, 0) WHERE review_id IN (FROM expired);
UPDATE rejects SET raw = NULL, blanked_at = get_current_timestamp()::TIMESTAMP WHERE review_id IN (FROM expired) AND raw IS NOT NULL;
