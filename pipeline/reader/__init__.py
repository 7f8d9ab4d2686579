"""The models that travel with the package and read a text: encoder, heads, n-grams, calibration.

In: texts. Out: probabilities and vectors.
Imported by backends, metrics and what stands above; imports core and text.
"""
