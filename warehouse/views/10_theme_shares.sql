-- How much of a source's reviews, and of a business' in it, speak of a theme: evidence for what a doubtful sentence there is
-- about. business '': the source as a whole. Grain: source, business, theme.
CREATE OR REPLACE VIEW theme_shares AS
SELECT s.source, s.business, s.theme, s.total / s.reviews AS share, s.reviews FROM store.theme_share s
JOIN store.current c ON c.stage = 'read' AND c.fingerprint = s.fingerprint;
