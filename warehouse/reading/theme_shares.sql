-- How many reviews of these sources and businesses speak of each theme ('' is the source as a whole).
-- In: $sources, $businesses, pairs. Grain: source, business, theme.
SELECT source, business, theme, total, reviews FROM store.theme_share
JOIN store.current c ON c.stage = 'read' AND c.fingerprint = theme_share.fingerprint
SEMI JOIN (
    SELECT unnest($sources::VARCHAR[]) AS source, unnest($businesses::VARCHAR[]) AS business
    UNION SELECT unnest($sources::VARCHAR[]), ''
) USING (source, business);
