-- Nothing is dropped silently: every record of every source was accepted, rejected or a duplicate.
SELECT source, rows, accepted, rejected, duplicates FROM ingests WHERE rows <> accepted + rejected + duplicates;
