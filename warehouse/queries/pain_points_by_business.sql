-- What hurts most at each business? Its three worst. Grain: business, theme.
SELECT part AS business, * EXCLUDE part FROM pain_points('business', $business, $product, $language, $since, $until, $segment)
QUALIFY row_number() OVER (PARTITION BY part ORDER BY pain DESC, theme) <= 3
ORDER BY sum(pain) OVER (PARTITION BY part) DESC, part, pain DESC, theme LIMIT coalesce($limit, 60);
