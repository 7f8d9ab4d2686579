-- One page of `insights`, newest first, after the last row of the previous page ($after_date, $after_id). Grain: review_id.
SELECT * FROM insights
WHERE ($business IS NULL OR business = $business)
  AND ($product IS NULL OR product = $product)
  AND ($language IS NULL OR language = $language)
  AND ($sentiment IS NULL OR sentiment = $sentiment)
  AND ($theme IS NULL OR list_contains(themes, $theme))
  AND ($emotion IS NULL OR list_contains(emotions, $emotion))
  AND ($min_stars::DOUBLE IS NULL OR stars >= $min_stars)
  AND ($max_stars::DOUBLE IS NULL OR stars <= $max_stars)
  AND ($since::DATE IS NULL OR reviewed_at >= $since)
  AND ($until::DATE IS NULL OR reviewed_at < $until::DATE + INTERVAL 1 DAY)
  AND ($contains IS NULL OR contains(lower(text), lower($contains)))
  AND ($after_id IS NULL
       OR (reviewed_at = $after_date::TIMESTAMP AND review_id > $after_id)
       OR (reviewed_at < $after_date::TIMESTAMP)
       OR (reviewed_at IS NULL AND ($after_date::TIMESTAMP IS NOT NULL OR review_id > $after_id)))
ORDER BY reviewed_at DESC NULLS LAST, review_id
LIMIT $most;
