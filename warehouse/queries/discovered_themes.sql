-- What do unhappy customers mention that the taxonomy has no theme for? Only themes with at least five reviews. Grain: theme.
SELECT * FROM discovered_in($business, $product, $language, $since, $until, $segment)
ORDER BY reviews DESC, theme LIMIT coalesce($limit, 10);
