-- The message of a failed run may quote a review. In: $before, a TIMESTAMP.
UPDATE runs SET error = 'removed for its age' WHERE error IS NOT NULL AND error <> 'removed for its age' AND started_at < $before::TIMESTAMP;
