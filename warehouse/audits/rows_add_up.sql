-- Nothing is dropped silently: every record of every source was accepted, rejected, a duplicate or a rating without words.
-- Of sources read by an older version (without fields) that is not known.
SELECT source, rows, accepted, rejected, duplicates, rating_only FROM sources
WHERE json_array_length(fields) > 0 AND rows <> accepted + rejected + duplicates + rating_only;
