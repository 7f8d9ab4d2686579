-- Who wrote the records that were rejected, as the source names them. Grain: reject_id.
SELECT r.reject_id, json_extract_string(r.raw, s.place) AS name
FROM rejects r JOIN (
    SELECT source, run_id, '/' || replace(replace(split_part(decisions->>'$.columns.author', '+', 1), '~', '~0'), '/', '~1') AS place
    FROM store.sources WHERE decisions->>'$.columns.author' IS NOT NULL
) s ON s.source = r.source AND s.run_id = r.run_id
WHERE json_valid(r.raw) AND name IS NOT NULL;
