-- What is not to be read again: reviews by either id, and authors. No words are kept. Written by `forget`. Grain: none.
CREATE TABLE store.forgotten (
    review_id    VARCHAR,                  -- NULL where all reviews of an author are meant
    native_id    VARCHAR,                  -- as in reviews
    author       VARCHAR,                  -- as in reviews; with a review_id: only the one of this author, as others wrote the same
    forgotten_at TIMESTAMP NOT NULL
);
