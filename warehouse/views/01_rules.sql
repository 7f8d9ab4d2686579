-- Rules that several queries follow, each stated once.

-- Whether the teacher writes for a review: its words are negative, or it has so many stars or fewer.
CREATE OR REPLACE MACRO is_unhappy(sentiment, stars, most_stars) AS
    coalesce(sentiment = 'negative', false) OR coalesce(stars <= most_stars, false);

-- Whether a review needs a reply: two stars and fewer, or negative words without more than three stars (whoever gives
-- four or five is not asking for an apology).
CREATE OR REPLACE MACRO needs_reply(sentiment, stars) AS
    coalesce(stars <= 2, false) OR (coalesce(sentiment = 'negative', false) AND coalesce(stars <= 3, true));

-- Whether nothing in a review hints at a complaint: positive words, and more than three stars where it has any.
CREATE OR REPLACE MACRO is_plainly_happy(sentiment, stars) AS
    coalesce(sentiment = 'positive', false) AND coalesce(stars > 3, true);

-- GoEmotions' negative labels (Demszky et al. 2020).
CREATE OR REPLACE MACRO negative_emotions() AS
    ['fear', 'nervousness', 'remorse', 'embarrassment', 'disappointment', 'sadness', 'grief', 'disgust', 'anger',
     'annoyance', 'disapproval'];
