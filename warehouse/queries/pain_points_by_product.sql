-- What hurts most about each product? Its three worst. Grain: product, theme.
SELECT part AS product, * EXCLUDE part FROM pain_points('product', $business, $product, $language, $since, $until, $segment)
QUALIFY row_number() OVER (PARTITION BY part ORDER BY pain DESC, theme) <= 3
ORDER BY sum(pain) OVER (PARTITION BY part) DESC, part, pain DESC, theme LIMIT coalesce($limit, 60);
