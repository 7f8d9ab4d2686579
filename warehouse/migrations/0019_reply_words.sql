-- What a public reply to a complaint must and must not say: of the library, or of the profile's own playbook or pack. NULL until
-- the next run writes it.
ALTER TABLE store.problems ADD COLUMN reply_say VARCHAR;
ALTER TABLE store.problems ADD COLUMN reply_avoid VARCHAR;
