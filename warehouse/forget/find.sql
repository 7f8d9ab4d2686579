-- What has to go. In: temp tables `wanted` (one of source, review_id and author per row) and `authored` (rejects of these
-- authors). Out: temp tables
--   going     versions of reviews, of a source as a whole or (`by_name`) of one review or author
--   gone      reviews of which nothing is left then, in no source
--   borrowed  controls of other reviews that repeat the teacher's text for one of these
CREATE OR REPLACE TEMP TABLE going AS
WITH named AS (
    SELECT review_id, native_id FROM store.reviews
    WHERE review_id IN (SELECT review_id FROM wanted) OR author IN (SELECT author FROM wanted)
)
SELECT r.*, coalesce(review_id IN (SELECT review_id FROM named) OR native_id IN (SELECT native_id FROM named), false) AS by_name,
       coalesce(source IN (SELECT source FROM wanted), false) AS with_source
FROM store.reviews r
WHERE by_name OR with_source;

CREATE OR REPLACE TEMP TABLE gone AS
SELECT DISTINCT review_id FROM going
WHERE review_id NOT IN (SELECT review_id FROM store.reviews WHERE place NOT IN (SELECT place FROM going));

CREATE OR REPLACE TEMP TABLE borrowed AS
SELECT DISTINCT review_id, role FROM store.generate
WHERE role IN ('control_nearest', 'control_shuffled') AND review_id NOT IN (SELECT review_id FROM gone)
  AND text IN (
    SELECT text FROM store.feedback WHERE review_id IN (SELECT review_id FROM gone)
    UNION SELECT completion FROM store.training_set WHERE review_id IN (SELECT review_id FROM gone)
  );
