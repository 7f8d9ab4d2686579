-- Reviews with a text that a stage may have left out, and reviews that an audit looks at. While a stage or the audits run that had
-- found nothing left to do, a temporary table and view of these names hold those alone that have changed since (pipeline/core/settled.py).
-- Grain: review_id.
CREATE OR REPLACE VIEW audited AS FROM reviews;
CREATE OR REPLACE VIEW candidates AS SELECT * FROM audited WHERE NOT rating_only AND blanked_at IS NULL;
