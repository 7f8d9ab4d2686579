-- What hurts: each theme that is complained about, how much, and the trend. Grain: part, theme.
-- part: NULL for all reviews together; else the business, product or language, as `split` says. Other parameters as in
-- reviews_in. A theme counts once per review, so mentions are reviews. Ratings without words are left out.
--   share        of the reviews of the period, with Wilson's interval
--   weight       hint (fewer than 4 mentions), some, pattern (10 or more)
--   severity     mean over the mentions, see complaints; the list is sorted by pain = mentions * severity
--   stars_effect mean stars of reviews that complain of it minus those of the period's other reviews, with a 95 %
--                interval (Welch) if there are 10 reviews on either side; a correlation, not a cause
--   change       share in the recent days minus share in as many days before, with Newcombe's interval. Recent is the
--                period itself if `since` is given, else the last 28 days up to `until` or the last review
--   emerging     4 or more recent mentions, clearly more often than before, and in all earlier days less than a quarter as often
CREATE OR REPLACE MACRO pain_points(split, of_business, of_product, of_language, since, until, of_segment := NULL) AS TABLE
WITH days AS (
    SELECT coalesce(since::DATE, last_day - 27) AS first_day, last_day
    FROM (SELECT coalesce(until::DATE, max(reviewed_at)::DATE) AS last_day
          FROM reviews_in(of_business, of_product, of_language, NULL, until, of_segment))
), every AS (  -- reviews without a theme, complaints with theirs
    SELECT NULL AS theme, NULL AS severity, stars, reviewed_at, rating_only, business, product, language
    FROM reviews_in(of_business, of_product, of_language, NULL, until, of_segment)
    UNION ALL
    SELECT theme, severity, stars, reviewed_at, rating_only, business, product, language
    FROM complaints_in(of_business, of_product, of_language, NULL, until, of_segment)
), placed AS (
    SELECT CASE split WHEN 'business' THEN business WHEN 'product' THEN product
                      WHEN 'language' THEN coalesce(language, 'unknown') END AS part, theme, stars,
           since IS NULL OR reviewed_at >= since::DATE AS inside,
           coalesce(reviewed_at >= first_day AND reviewed_at < last_day + INTERVAL 1 DAY, false) AS recent,
           coalesce(reviewed_at < first_day AND reviewed_at >= first_day - (last_day - first_day + 1)::INTEGER, false) AS previous,
           coalesce(reviewed_at < first_day, false) AS earlier,
           count(*) AS n, count(severity) AS judged, sum(severity) AS severity  -- of what is alike: few rows remain
    FROM every CROSS JOIN days
    WHERE NOT rating_only AND (split IS NULL OR part IS NOT NULL) GROUP BY ALL
), counted AS (
    SELECT part, theme,
           coalesce(sum(placed.n) FILTER (inside), 0)::BIGINT AS mentions, coalesce(sum(placed.n) FILTER (recent), 0)::BIGINT AS recent_mentions,
           coalesce(sum(placed.n) FILTER (previous), 0)::BIGINT AS previous_mentions, coalesce(sum(placed.n) FILTER (earlier), 0)::BIGINT AS earlier_mentions,
           sum(severity) FILTER (inside) / nullif(sum(judged) FILTER (inside), 0) AS severity,
           coalesce(sum(placed.n) FILTER (inside AND stars IS NOT NULL), 0)::BIGINT AS n,
           coalesce(sum(stars * placed.n) FILTER (inside), 0) AS total, coalesce(sum(stars * stars * placed.n) FILTER (inside), 0) AS squares
    FROM placed GROUP BY part, theme
), whole AS (
    SELECT part, first_day AS recent_from, last_day AS recent_to, mentions AS reviews, recent_mentions AS recent_reviews,
           previous_mentions AS previous_reviews, earlier_mentions AS earlier_reviews, n, total, squares
    FROM counted CROSS JOIN days WHERE theme IS NULL
), joined AS (
    SELECT w.*, t.theme, t.mentions, t.recent_mentions, t.previous_mentions, t.earlier_mentions, t.severity,
           t.n AS stars_with_n, w.n - t.n AS stars_without_n,
           t.total / nullif(t.n, 0) AS stars_with, (w.total - t.total) / nullif(w.n - t.n, 0) AS stars_without,
           greatest(0, t.squares - t.total ** 2 / nullif(t.n, 0)) / (t.n - 1) / t.n AS with_error,
           greatest(0, w.squares - t.squares - (w.total - t.total) ** 2 / nullif(w.n - t.n, 0))
               / (w.n - t.n - 1) / (w.n - t.n) AS without_error
    FROM counted t JOIN whole w ON w.part IS NOT DISTINCT FROM t.part
    WHERE t.theme IS NOT NULL AND t.mentions > 0
)
SELECT part, theme, mentions, reviews, mentions / reviews AS share,
       wilson_low(mentions, reviews) AS share_low, wilson_high(mentions, reviews) AS share_high,
       weight_of(mentions) AS weight, severity, mentions * severity AS pain,
       stars_with, stars_with_n, stars_without, stars_without_n, stars_with - stars_without AS stars_effect,
       CASE WHEN least(stars_with_n, stars_without_n) >= 10
            THEN stars_effect - 1.959964 * sqrt(with_error + without_error) END AS stars_effect_low,
       CASE WHEN least(stars_with_n, stars_without_n) >= 10
            THEN stars_effect + 1.959964 * sqrt(with_error + without_error) END AS stars_effect_high,
       recent_from, recent_to, recent_mentions, recent_reviews, previous_mentions, previous_reviews,
       recent_mentions / nullif(recent_reviews, 0) - previous_mentions / nullif(previous_reviews, 0) AS change,
       newcombe_low(recent_mentions, recent_reviews, previous_mentions, previous_reviews) AS change_low,
       newcombe_high(recent_mentions, recent_reviews, previous_mentions, previous_reviews) AS change_high,
       trend_of(recent_mentions, recent_reviews, previous_mentions, previous_reviews) AS trend,
       coalesce(recent_mentions >= 4 AND change_low > 0
                AND 4 * earlier_mentions / earlier_reviews < recent_mentions / recent_reviews, false) AS emerging
FROM joined;
