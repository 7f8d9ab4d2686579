-- Insights of a business, product, language, period and segment; NULL means all. `until` is the last day that counts. Grain: review_id.
CREATE OR REPLACE MACRO insights_in(of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
SELECT * FROM insights
WHERE (of_business IS NULL OR business = of_business)
  AND (of_product IS NULL OR product = of_product)
  AND (of_language IS NULL OR coalesce(language, 'unknown') = of_language)
  AND (since IS NULL OR reviewed_at >= since::DATE)
  AND (until IS NULL OR reviewed_at < until::DATE + INTERVAL 1 DAY)
  AND has_segment(attributes, of_segment);
