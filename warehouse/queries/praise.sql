-- What do customers like most? Grain: theme.
SELECT theme, count(*) AS mentions, any_value(whole) AS reviews, mentions / reviews AS share,
       wilson_low(mentions, reviews) AS share_low, wilson_high(mentions, reviews) AS share_high, weight_of(mentions) AS weight,
       arg_max(evidence, (length(evidence) BETWEEN 20 AND 160, t.score, t.review_id)) AS quote
FROM (SELECT review_id, count(*) OVER () AS whole FROM reviews_in($business, $product, $language, $since, $until, $segment) WHERE NOT rating_only)
JOIN themes t USING (review_id) WHERE t.sentiment = 'positive'
GROUP BY theme ORDER BY mentions DESC, theme LIMIT coalesce($limit, 10);
