-- GoEmotions' own groupings of its labels (Demszky et al. 2020): Ekman's six with neutral, and by sentiment. Grain: scheme, emotion.
CREATE OR REPLACE VIEW emotion_groups AS
SELECT scheme, name, unnest(members) AS emotion FROM (VALUES
    ('ekman', 'anger', ['anger', 'annoyance', 'disapproval']),
    ('ekman', 'disgust', ['disgust']),
    ('ekman', 'fear', ['fear', 'nervousness']),
    ('ekman', 'joy', ['joy', 'amusement', 'approval', 'excitement', 'gratitude', 'love', 'optimism', 'relief', 'pride',
                      'admiration', 'desire', 'caring']),
    ('ekman', 'sadness', ['sadness', 'disappointment', 'embarrassment', 'grief', 'remorse']),
    ('ekman', 'surprise', ['surprise', 'realization', 'confusion', 'curiosity']),
    ('ekman', 'neutral', ['neutral']),
    ('sentiment', 'positive', ['amusement', 'excitement', 'joy', 'love', 'desire', 'optimism', 'caring', 'pride',
                               'admiration', 'gratitude', 'relief', 'approval']),
    ('sentiment', 'negative', negative_emotions()),
    ('sentiment', 'ambiguous', ['realization', 'surprise', 'curiosity', 'confusion'])
) standard(scheme, name, members);
