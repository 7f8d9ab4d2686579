"""The model that reads a review, once: encoder, heads, readings, and what is decided from them; calibration; MiniLM for metrics.

In: texts. Out: readings, decisions, vectors.
Imported by backends, metrics and what stands above; imports core and text.
"""
