-- Reviews whose texts have been kept long enough: by their date, or by when they were first read where they have none. All
-- versions of a review count. In: $before, a TIMESTAMP. Grain: review_id.
CREATE OR REPLACE TEMP TABLE expired AS
SELECT review_id FROM store.reviews GROUP BY review_id
HAVING max(coalesce(reviewed_at, ingested_at)) < $before::TIMESTAMP AND NOT bool_and(blanked_at IS NOT NULL);
