-- The problem of the library that a complaint is a case of, and how probable that is; NULL: none is sure.
ALTER TABLE store.themes ADD COLUMN problem VARCHAR;
ALTER TABLE store.themes ADD COLUMN problem_probability FLOAT;

-- The library of problems and remedies that complaints were compared with. Grain: problem, fingerprint (of the stage `themes`).
CREATE TABLE store.problems (
    problem  VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    name     VARCHAR NOT NULL, theme VARCHAR NOT NULL,
    severity INTEGER NOT NULL,    -- 4 health, safety or law; 3 the purpose is lost, or real money; 2 a fault; 1 an annoyance
    cause    VARCHAR NOT NULL,    -- what usually lies behind it
    customer VARCHAR NOT NULL,    -- what to do for the customer
    fix      VARCHAR[] NOT NULL,  -- what to do for good
    measure  VARCHAR NOT NULL,    -- the number that shows whether it worked
    who      VARCHAR NOT NULL,    -- should act
    effort   VARCHAR NOT NULL,    -- talk, purchase, project
    PRIMARY KEY (problem, fingerprint)
);

-- What was wrong with answers that were not accepted, in order; the text is then of a second answer, or of the playbook (model).
ALTER TABLE store.feedback ADD COLUMN faults VARCHAR[];
