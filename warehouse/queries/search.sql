-- Which reviews contain these words? Grain: review_id.
-- $words: words or "phrases" in quotes, case and accents ignored. Rarer words weigh more (inverse document frequency); `around` shows the rarest in context.
WITH wanted AS (
    SELECT DISTINCT strip_accents(lower(trim(unnest(regexp_extract_all($words, '"[^"]+"|[^\s"]+')), '"'))) AS word
), scope AS MATERIALIZED (
    SELECT *, strip_accents(lower(text)) AS plain, count(*) OVER () AS whole
    FROM insights_in($business, $product, $language, $since, $until, $segment)
), hits AS (
    SELECT review_id, word, strpos(plain, word) AS place, ln(1 + whole / count(*) OVER (PARTITION BY word)) AS worth
    FROM scope JOIN wanted ON contains(plain, word) WHERE word <> ''
)
SELECT review_id, sum(worth) AS rank, list(word ORDER BY worth DESC, word) AS found, any_value(business) AS business,
       any_value(reviewed_at)::DATE AS day, any_value(stars) AS stars, any_value(sentiment) AS sentiment,
       substr(any_value(text), greatest(1, arg_max(place, (worth, word)) - 60)::BIGINT, 160) AS around
FROM hits JOIN scope USING (review_id)
GROUP BY review_id ORDER BY rank DESC, review_id LIMIT coalesce($limit, 20);
