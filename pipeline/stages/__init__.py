"""The stages, in order. Each file holds one: what it depends on, and how a batch of rows becomes a batch of rows.

In: pending rows, by a query of `warehouse/stages`. Out: rows of the table of that name.
Imported by run and what stands above; imports the rooms before it.
"""

from pipeline.stages.discover import DISCOVER
from pipeline.stages.distill import DISTILL
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.feedback import FEEDBACK
from pipeline.stages.generate import GENERATE
from pipeline.stages.read import READ
from pipeline.stages.score import SCORE
from pipeline.stages.sentiment import SENTIMENT
from pipeline.stages.themes import THEMES

STAGES = (READ, SENTIMENT, EMOTIONS, THEMES, DISCOVER, FEEDBACK, DISTILL, GENERATE, SCORE)  # `ingest` comes before them
