-- The kept rows are up to date: nothing has changed since. A stage that did not run in this run has not seen what had.
DELETE FROM store.settled
WHERE run_id NOT IN (SELECT run_id FROM runs WHERE status = 'running')
  AND (EXISTS (FROM store.changed) OR NOT EXISTS (FROM store.kept));
DELETE FROM store.changed;
DELETE FROM store.kept;
