-- What are the themes called? Every theme of the taxonomy in use, mentioned or not. Grain: theme.
SELECT theme, label FROM taxonomy ORDER BY theme;
