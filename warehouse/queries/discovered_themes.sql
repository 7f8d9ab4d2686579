-- What do unhappy customers mention that the taxonomy has no theme for? From five reviews on. Grain: theme.
SELECT * FROM discovered_in($business, $product, $language, $since, $until)
ORDER BY reviews DESC, theme LIMIT coalesce($limit, 10);
