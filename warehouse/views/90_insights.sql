-- One row per review: everything a reader wants side by side. Grain: review_id. How it is put together: findings.
CREATE OR REPLACE VIEW insights AS
SELECT review_id, source, business, product, reviewed_at, language, stars, text, sentiment, sentiment_score, emotions, themes,
       feedback, suggestions, feedback_role, feedback_model, rating_only, owner_reply, replied_at, attributes, text_sentiment
FROM findings;
