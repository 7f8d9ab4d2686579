-- The language of most reviews with words; NULL: there are none. Grain: one row.
SELECT mode(language) AS language FROM reviews WHERE NOT rating_only
