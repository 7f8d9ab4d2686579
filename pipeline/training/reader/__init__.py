"""Trains the reader: one encoder, all questions at once.

    review-insights train reader --data DATA --out pipeline/models/reader        (make reader DATA=...)

corpora -> examples -> train (loss) -> rules (decisions, fitted on what training did not see) -> the files of the reader.
A training that is stopped goes on from its last checkpoint, in ./reader.training.
"""

from pipeline.training.reader.ship import train

__all__ = ["train"]
