-- When texts were last removed for their age; NULL: never. Grain: one row.
SELECT max(blanked_at) AS at FROM (SELECT blanked_at FROM store.reviews UNION ALL SELECT blanked_at FROM rejects);
