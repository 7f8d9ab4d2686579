"""feedback: the teacher writes constructive feedback for every unhappy review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.advice.answer import parse_suggestions
from pipeline.advice.request import request
from pipeline.backends import registry
from pipeline.core import prompts
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.sentiment import SENTIMENT
from pipeline.stages.themes import THEMES
from pipeline.themes.taxonomy import taxonomy_file


def spec(profile: Profile) -> dict[str, Any]:
    config = profile.feedback
    if config.backend == "playbook":  # no prompt, no sampling: the playbook file is all there is
        return {
            "version": 1,
            "playbook": taxonomy_file(profile).read_text(encoding="utf-8"),
            "max_stars": config.max_stars,
        }
    return {
        "version": 1,
        "backend": config.backend,
        "model": registry.identities(profile)["feedback"],
        "quantize": config.quantize,
        "prompt": prompts.sha256(config.prompt),
        "max_new_tokens": config.max_new_tokens,
        "temperature": config.temperature,
        "max_stars": config.max_stars,
    }


def params(profile: Profile) -> dict[str, Any]:
    return {"max_stars": profile.feedback.max_stars, "max_reviews": profile.feedback.max_reviews}


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    teacher = registry.teacher(context.profile.feedback, taxonomy_file(context.profile))
    written = teacher.write(
        [request(row, context.profile.feedback.prompt, taxonomy=taxonomy_file(context.profile)) for row in rows]
    )
    return [
        feedback_row(row["review_id"], "teacher", teacher.model, answer)
        for row, answer in zip(rows, written, strict=True)
    ]


def feedback_row(review_id: str, role: str, model: str, answer: Any) -> Row:
    """A row of `feedback` from what a model wrote; what holds no suggestion keeps its raw output and says so."""
    suggestions = parse_suggestions(answer.text)
    error = answer.error or (None if suggestions else "no suggestion could be parsed from the output")
    return {
        "review_id": review_id,
        "role": role,
        "model": model,
        "text": answer.text or None,
        "suggestions": suggestions,
        "raw_output": answer.raw,
        "truncated": answer.truncated,
        "error": error,
    }


FEEDBACK = Stage(
    "feedback", ("review_id",), spec, transform, parents=(SENTIMENT, EMOTIONS, THEMES), params=params, batch_size=64
)
