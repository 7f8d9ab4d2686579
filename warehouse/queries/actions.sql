-- What should we do first? Suggestions from many reviews, merged. Grain: action.
SELECT * FROM actions($business, $product, $language, $since, $until, $segment)
ORDER BY pain DESC, reviews DESC, action LIMIT coalesce($limit, 15);
