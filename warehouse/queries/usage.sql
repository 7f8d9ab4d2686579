-- What were language models asked, and what did it cost? Grain: run_id, stage, model.
-- Tokens as the server or the tokenizer counts them, answers that were of no use included; cost by the profile's prices at the time.
SELECT u.run_id, r.started_at, u.stage, u.model, u.requests, u.prompt_tokens, u.completion_tokens, u.cost
FROM store.usage u LEFT JOIN runs r USING (run_id)
ORDER BY r.started_at DESC, u.run_id DESC, u.stage, u.model LIMIT coalesce($limit, 30);
