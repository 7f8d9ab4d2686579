-- Removes what adapters wrote, and their rounds, so that the next run trains anew. In: temp table `dropped` (adapter).
DELETE FROM store.score WHERE role = 'student' AND review_id IN (
    SELECT review_id FROM store.generate JOIN dropped ON ends_with(model, '+' || adapter)
);
DELETE FROM store.generate WHERE EXISTS (SELECT 1 FROM dropped WHERE ends_with(model, '+' || adapter));
DELETE FROM store.distill WHERE adapter IN (SELECT adapter FROM dropped);
