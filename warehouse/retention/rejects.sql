-- Removes records that were rejected long ago, as they were read. In: $before, a TIMESTAMP.
UPDATE rejects SET raw = NULL, blanked_at = get_current_timestamp()::TIMESTAMP
WHERE raw IS NOT NULL AND (read_at < $before::TIMESTAMP OR (read_at IS NULL AND run_id IN (SELECT run_id FROM runs WHERE started_at < $before::TIMESTAMP)));
