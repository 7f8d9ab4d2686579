"""The shipped models that read a text: encoder, heads, n-grams; and calibration.

In: texts. Out: probabilities and vectors.
Imported by backends, metrics and what stands above; imports core and text.
"""
