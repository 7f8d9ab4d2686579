-- What the taxonomy that themes were found with calls them. Grain: theme, fingerprint (of the stage `themes`).
CREATE TABLE store.taxonomy (
    theme VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    PRIMARY KEY (theme, fingerprint)
);
