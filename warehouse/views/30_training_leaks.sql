-- Test reviews of the current student of which it was trained on a near-duplicate. Grain: review_id, trained_on.
-- Near-duplicates share at least 60 % of the shorter review's word 3-grams (and at least four of them): a copy with a
-- sentence added, names changed or the punctuation gone. Chinese and Japanese characters count as words.
CREATE OR REPLACE VIEW training_leaks AS
WITH words AS (
    SELECT review_id, split, round,
           regexp_extract_all(lower(text), '[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}]+') AS words
    FROM training_set JOIN reviews USING (review_id) WHERE text <> ''
), grams AS (
    SELECT DISTINCT review_id, split = 'test' AS is_test,
           hash(list_aggregate(words[place:place + 2], 'string_agg', ' ')) AS gram
    FROM words, LATERAL (SELECT unnest(range(1, len(words) - 1)) AS place)
), sizes AS (
    SELECT review_id, count(*) AS n FROM grams GROUP BY review_id
), shared AS (
    SELECT a.review_id, b.review_id AS trained_on, count(*) AS n
    FROM grams a JOIN grams b ON a.gram = b.gram AND a.is_test AND NOT b.is_test
    GROUP BY ALL
)
SELECT shared.review_id, shared.trained_on, shared.n / least(a.n, b.n) AS similarity
FROM shared
JOIN sizes a ON a.review_id = shared.review_id
JOIN sizes b ON b.review_id = shared.trained_on
WHERE shared.n >= 4 AND shared.n >= 0.6 * least(a.n, b.n)
UNION ALL  -- texts too short for that: the same words
SELECT a.review_id, b.review_id, 1.0
FROM words a JOIN words b ON a.words = b.words AND a.split = 'test' AND b.split <> 'test'
WHERE len(a.words) < 6;
