-- Rules that several queries follow, each stated once.

-- Whether the teacher writes for a review: its words are negative, or it has at most `most_stars` stars.
CREATE OR REPLACE MACRO is_unhappy(sentiment, stars, most_stars) AS
    coalesce(sentiment = 'negative', false) OR coalesce(stars <= most_stars, false);

-- Whether a review needs a reply: two stars or fewer, or negative words with at most three stars or none given (whoever
-- gives four or five is not asking for an apology).
CREATE OR REPLACE MACRO needs_reply(sentiment, stars) AS
    coalesce(stars <= 2, false) OR (coalesce(sentiment = 'negative', false) AND coalesce(stars <= 3, true));

-- Whether nothing in a review hints at a complaint: positive words, and more than three stars if it has any.
CREATE OR REPLACE MACRO is_plainly_happy(sentiment, stars) AS
    coalesce(sentiment = 'positive', false) AND coalesce(stars > 3, true);

-- Whether a review has all of these attributes: a list of KEY=VALUE, in any case; NULL for none.
CREATE OR REPLACE MACRO has_segment(attributes, segment) AS
    segment IS NULL OR list_has_all(list_transform(map_entries(attributes), lambda entry: lower(entry.key || '=' || entry.value)),
                                    list_transform(segment::VARCHAR[], lambda wanted: lower(wanted)));

-- Whether a review is of a business, product, language, period and segment; NULL means all. `until` is the last day that counts. A
-- review without a date belongs to no period.
CREATE OR REPLACE MACRO is_in_scope(business, product, language, reviewed_at, attributes, of_business, of_product, of_language, since, until, of_segment) AS
    (of_business IS NULL OR business = of_business)
    AND (of_product IS NULL OR product = of_product)
    AND (of_language IS NULL OR coalesce(language, 'unknown') = of_language)
    AND (since IS NULL OR reviewed_at >= since::DATE)
    AND (until IS NULL OR reviewed_at < until::DATE + INTERVAL 1 DAY)
    AND has_segment(attributes, of_segment);

-- GoEmotions' negative labels (Demszky et al. 2020).
CREATE OR REPLACE MACRO negative_emotions() AS
    ['fear', 'nervousness', 'remorse', 'embarrassment', 'disappointment', 'sadness', 'grief', 'disgust', 'anger',
     'annoyance', 'disapproval'];
