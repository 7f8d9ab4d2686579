-- The readings of some reviews. In: the name of a table with their review_id. Grain: review_id.
-- By their places in the table: so those blocks alone are read, of the vectors too, and what is asked for was mostly written last.
CREATE OR REPLACE MACRO read_of(chosen) AS TABLE
WITH places AS (
    SELECT t.rowid AS place FROM store.read t JOIN store.current c ON c.stage = 'read' AND c.fingerprint = t.fingerprint
    SEMI JOIN (FROM query_table(chosen)) USING (review_id)
)
SELECT t.* FROM store.read t JOIN places ON t.rowid = place;

-- The same of current reviews, with all columns of store.reviews.
CREATE OR REPLACE MACRO reviews_of(chosen) AS TABLE
WITH places AS (
    SELECT rowid AS found FROM store.reviews SEMI JOIN (FROM query_table(chosen)) USING (review_id) WHERE current
)
SELECT r.* FROM store.reviews r JOIN places ON r.rowid = found;
