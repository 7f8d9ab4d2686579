-- What the student is trained to write: the teacher's text, its quotes replaced by markers where the prompt has them.
ALTER TABLE store.training_set ADD COLUMN target VARCHAR;
