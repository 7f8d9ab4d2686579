-- Temp tables for one reading of a source; see replace.sql.
CREATE OR REPLACE TEMP TABLE reading (source VARCHAR, run_id VARCHAR, read_at TIMESTAMP, append BOOLEAN);
CREATE OR REPLACE TEMP TABLE incoming AS SELECT * EXCLUDE (place, source, ingested_at, run_id, retired_at, current) FROM store.reviews LIMIT 0;
CREATE OR REPLACE TEMP TABLE incoming_rejects AS SELECT * EXCLUDE (source, run_id) FROM rejects LIMIT 0;
