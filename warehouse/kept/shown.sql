-- Lets the views show the kept rows.
CREATE OR REPLACE VIEW findings AS FROM store.findings;
CREATE OR REPLACE VIEW mentions AS FROM store.mentions;
