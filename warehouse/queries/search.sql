-- Which reviews contain these words? Grain: review_id.
-- $words: words or "phrases" in quotes, case and accents ignored. Rarer words weigh more (inverse document frequency); `around` shows the rarest in context.
WITH wanted AS (
    SELECT DISTINCT strip_accents(lower(trim(unnest(regexp_extract_all($words, '"[^"]+"|[^\s"]+')), '"'))) AS word
), hits AS MATERIALIZED (
    SELECT review_id, word FROM findings_in($business, $product, $language, $since, $until, $segment) JOIN wanted ON contains(strip_accents(lower(text)), word) WHERE word <> ''
), worths AS (
    SELECT word, ln(1 + (SELECT count(*) FROM reviews_in($business, $product, $language, $since, $until, $segment)) / count(*)) AS worth FROM hits GROUP BY word
), ranked AS (
    SELECT review_id, sum(worth) AS rank FROM hits JOIN worths USING (word)
    GROUP BY review_id ORDER BY rank DESC, review_id LIMIT coalesce($limit, 20)
), found AS (
    SELECT review_id, any_value(rank) AS rank, list(word ORDER BY worth DESC, word) AS found, arg_max(word, (worth, word)) AS rarest
    FROM ranked JOIN hits USING (review_id) JOIN worths USING (word) GROUP BY review_id
)
SELECT review_id, rank, found, business, reviewed_at::DATE AS day, stars, sentiment,
       substr(text, greatest(1, strpos(strip_accents(lower(text)), rarest) - 60)::BIGINT, 160) AS around
FROM found JOIN insights USING (review_id)
ORDER BY rank DESC, review_id;
