-- What hurts most? Grain: theme.
SELECT * EXCLUDE part FROM pain_points(NULL, $business, $product, $language, $since, $until, $segment)
ORDER BY pain DESC, theme LIMIT coalesce($limit, 10);
