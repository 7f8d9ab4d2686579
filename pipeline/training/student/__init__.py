"""Trains the embedded base student: a small PhiForCausalLM with a vocabulary of its own.

    review-insights train student --data DATA --out pipeline/models/student

texts (reviews, and feedback on findings) -> network (tokenizer, Phi, loop) -> fit (the phases) -> the files of the student.
`distill` later trains an adapter on top, on the texts of the profile's teacher.
"""

from pipeline.training.student.fit import train

__all__ = ["train"]
