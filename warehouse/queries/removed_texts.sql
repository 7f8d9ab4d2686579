-- Of how many reviews were the texts removed for their age (--keep-days)? What was found in them still counts. Grain: one row, or none.
SELECT count(*) AS reviews, max(coalesce(reviewed_at, ingested_at))::DATE AS last_day, max(blanked_at) AS removed_at
FROM reviews_in($business, $product, $language, $since, $until, $segment) WHERE blanked_at IS NOT NULL
HAVING count(*) > 0;
