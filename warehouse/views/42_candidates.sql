-- Reviews with a text that a stage may have left out. While a stage runs that had left out none, a temporary view of this name holds
-- those alone that have changed since (pipeline/core/settled.py). Grain: review_id.
CREATE OR REPLACE VIEW candidates AS SELECT * FROM reviews WHERE NOT rating_only AND blanked_at IS NULL;
