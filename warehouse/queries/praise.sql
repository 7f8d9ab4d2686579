-- What do customers like most? Grain: theme.
WITH liked AS (
    SELECT theme, count(*) AS mentions,
           arg_max(evidence, (length(evidence) BETWEEN 20 AND 160, score, review_id)) AS quote
    FROM mentions_in($business, $product, $language, $since, $until, $segment) WHERE sentiment = 'positive' AND NOT rating_only GROUP BY theme
)
SELECT theme, mentions, reviews, mentions / reviews AS share,
       wilson_low(mentions, reviews) AS share_low, wilson_high(mentions, reviews) AS share_high, weight_of(mentions) AS weight, quote
FROM liked CROSS JOIN (SELECT count(*) AS reviews FROM reviews_in($business, $product, $language, $since, $until, $segment) WHERE NOT rating_only)
ORDER BY mentions DESC, theme LIMIT coalesce($limit, 10);
