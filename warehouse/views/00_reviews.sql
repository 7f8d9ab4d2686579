-- One row per review that a source gives now. Grain: review_id.
CREATE OR REPLACE VIEW reviews AS
SELECT review_id, source, source_row, text, language, stars, label, reviewed_at, business, product, ingested_at, run_id,
       rating_only, liked, disliked, author, reply, replied_at, attributes, native_id, blanked_at, words
FROM store.reviews WHERE current;
