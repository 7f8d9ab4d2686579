-- What hurts most in each language? Its three worst. Grain: language, theme.
SELECT part AS language, * EXCLUDE part FROM pain_points('language', $business, $product, $language, $since, $until, $segment)
QUALIFY row_number() OVER (PARTITION BY part ORDER BY pain DESC, theme) <= 3
ORDER BY sum(pain) OVER (PARTITION BY part) DESC, part, pain DESC, theme LIMIT coalesce($limit, 60);
