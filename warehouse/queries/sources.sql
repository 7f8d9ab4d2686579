-- How was each source read, and what became of its records? Grain: source.
-- fields: JSON, per field its column, how it is read, samples, and how many values are filled in and understood.
SELECT source, read_at, rows, accepted, rejected, duplicates, rating_only, export, layouts, fields, attributes, unused, notes
FROM sources ORDER BY source LIMIT $limit;
