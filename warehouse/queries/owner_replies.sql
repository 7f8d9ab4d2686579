-- Which reviews does the owner answer, and how soon? Only where sources hold the owner's replies. Grain: one row, or none.
-- days: median from review to reply; negative: reviews with negative words.
SELECT count(*) AS reviews, count(*) FILTER (answered) AS replied, count(*) FILTER (sentiment = 'negative') AS negative,
       count(*) FILTER (answered AND sentiment = 'negative') AS negative_replied,
       negative_replied / nullif(negative, 0) AS share, wilson_low(negative_replied, negative) AS share_low,
       wilson_high(negative_replied, negative) AS share_high,
       median(date_diff('minute', reviewed_at, replied_at) / 1440) FILTER (replied_at >= reviewed_at) AS days
FROM findings_in($business, $product, $language, $since, $until, $segment)
HAVING replied > 0;
