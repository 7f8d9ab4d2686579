"""Models that a profile can name: classifiers and writers, each behind a few batch methods, imported lazily.

In: a section of a profile. Out: an object with `probabilities` or `write`.
Imported by metrics, advice, student, stages and what stands above; imports core, text, reader, themes.
"""
