-- Sources that only a version before 0009_sources.sql has read: the ids of their reviews may be others when they are read again.
-- Grain: source.
SELECT source FROM sources
WHERE json_array_length(fields) = 0 AND source IN (SELECT source FROM going WHERE by_name AND NOT with_source) ORDER BY source;
