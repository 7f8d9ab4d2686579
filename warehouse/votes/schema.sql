-- SQLite, in a file of its own beside the warehouse: a run replaces the warehouse, and must keep the votes.
-- What people think of a suggestion. Grain: review_id, suggestion, voter.
CREATE TABLE IF NOT EXISTS votes (
    review_id TEXT NOT NULL,
    suggestion TEXT NOT NULL,
    model TEXT NOT NULL,
    vote INTEGER NOT NULL CHECK (vote IN (-1, 1)),
    voter TEXT NOT NULL,
    voted_at TEXT NOT NULL,
    PRIMARY KEY (review_id, suggestion, voter)
);
