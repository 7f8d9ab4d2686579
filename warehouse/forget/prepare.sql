-- Temp tables for what is to be forgotten; see find.sql.
CREATE OR REPLACE TEMP TABLE wanted (source VARCHAR, review_id VARCHAR, author VARCHAR, asked_at TIMESTAMP);
CREATE OR REPLACE TEMP TABLE authored (reject_id VARCHAR);
