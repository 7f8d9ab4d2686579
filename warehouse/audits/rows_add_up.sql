-- Nothing is dropped silently: every record of every source was accepted, rejected, a duplicate or a rating without words,
-- and there are no fewer than were counted without the parser. Of sources read by an older version (without fields) neither is known.
SELECT source, rows, counted, accepted, rejected, duplicates, rating_only FROM sources
WHERE (json_array_length(fields) > 0 AND rows <> accepted + rejected + duplicates + rating_only) OR rows < counted;
