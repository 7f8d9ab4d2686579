-- Negative clauses of unhappy reviews that mention no aspect of the playbook. Grain: review_id, place, fingerprint. A review
-- without any has one row at place -1 (it was read).
CREATE TABLE store.discover (
    review_id VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    place     INTEGER NOT NULL,            -- where the clause begins in reviews.text, in characters from 0
    evidence  VARCHAR,                     -- verbatim span of reviews.text
    vector    BLOB,                        -- 384 float16 of the clause while it belongs to no theme
    theme     VARCHAR,                     -- of store.discovered; '' none yet, NULL not compared yet
    closeness FLOAT,                       -- cosine with the nearest theme's centroid
    error     VARCHAR,
    PRIMARY KEY (review_id, place, fingerprint)
);

-- Discovered themes. Written once, when a theme is founded; never changed. Grain: theme, fingerprint.
CREATE TABLE store.discovered (
    theme    VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
    name     VARCHAR NOT NULL,
    words    VARCHAR[] NOT NULL,           -- those that tell its reviews from others, the most telling first
    centroid BLOB NOT NULL,                -- 384 float32
    PRIMARY KEY (theme, fingerprint)
);
