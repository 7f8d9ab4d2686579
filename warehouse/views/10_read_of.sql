-- The readings of some reviews. In: the name of a table with their review_id. Grain: review_id.
CREATE OR REPLACE MACRO read_of(chosen) AS TABLE
FROM store.read JOIN store.current USING (fingerprint) SEMI JOIN (FROM query_table(chosen)) USING (review_id) WHERE stage = 'read';
