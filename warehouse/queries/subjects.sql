-- What do the reviews of each source speak of at all, good or bad? It weighs in where a sentence could mean two things. Grain: source, theme.
SELECT source, theme, share, reviews FROM theme_shares
WHERE business = coalesce($business, '') AND share >= 0.02
ORDER BY source, share DESC, theme LIMIT coalesce($limit, 50);
