"""The shipped reader: encoder, heads and the rules that decide over its readings; calibration; MiniLM for metrics.

In: texts. Out: readings, probabilities and vectors.
Imported by backends, metrics and what stands above; imports core and text.
"""
