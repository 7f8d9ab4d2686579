-- What should we do first? The remedies of what customers complain of, each problem once. Grain: problem.
SELECT * FROM actions($business, $product, $language, $since, $until, $segment)
ORDER BY pain DESC, reviews DESC, problem LIMIT coalesce($limit, 15);
