"""feedback: the teacher writes constructive feedback for every unhappy review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from pipeline.advice import checked
from pipeline.advice.answer import read_answer
from pipeline.advice.phrases import advice_language
from pipeline.advice.problems import remedies_identity
from pipeline.advice.request import request
from pipeline.advice.writer import Playbook
from pipeline.backends import registry
from pipeline.backends.base import Generator, Written
from pipeline.backends.screened import Screened
from pipeline.core import prompts
from pipeline.core.errors import ReviewInsightsError
from pipeline.core.profile import Profile, model_identity
from pipeline.core.rows import UnhappyReview
from pipeline.core.stage import Context, Stage, Unfinished
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.sentiment import SENTIMENT
from pipeline.stages.themes import THEMES
from pipeline.text import private
from pipeline.themes.taxonomy import taxonomy_file, written


class FeedbackRow(TypedDict):
    """A text written for a review. With an error there are no suggestions, and there may be no text."""

    review_id: str
    role: str  # teacher, student_base, student, control_constant, control_nearest, control_shuffled
    model: str
    text: str | None
    suggestions: list[str]
    raw_output: str  # as it came from the model
    truncated: bool  # cut by the token limit
    error: str | None
    faults: list[str]  # not accepted (`pipeline.advice.checked`) or withheld (`pipeline.backends.suspicion`)
    masked: NotRequired[list[tuple[str, int]]]  # kind -> values that the model did not see: `pipeline.backends.masking`


def spec(profile: Profile) -> dict[str, Any]:
    """What the teacher's text depends on."""
    config = profile.feedback
    if config.backend == "playbook":  # no prompt, no sampling: the playbook file is all there is
        return {
            "version": 5,  # 2: problems and their remedies; 3: whatever is no known problem is looked into
            "playbook": written(taxonomy_file(profile)),
            "problems": remedies_identity(),  # the file's own stand in it
            "language": config.language,
            "max_stars": config.max_stars,
        }
    # Findings, the fallback and the language: as the playbook's.
    checks = {"checked": 1, "problems": remedies_identity(taxonomy_file(profile)), "language": config.language}
    return {
        **(checks if prompts.asks_for_json(config.prompt) else {}),
        "version": 2,  # 2: no thinking, markers or JSON in the text
        "backend": config.backend,
        "model": model_identity(config.model, config.revision),
        "quantize": config.quantize,
        "prompt": prompts.sha256(config.prompt),
        "max_new_tokens": config.max_new_tokens,
        "temperature": config.temperature,
        "max_stars": config.max_stars,
        **({"masked": private.VERSION} if config.masks else {}),
    }


def params(profile: Profile) -> dict[str, Any]:
    """Who is unhappy, and how many reviews the teacher writes for (0: all)."""
    return {"max_stars": profile.feedback.max_stars, "max_reviews": profile.feedback.max_reviews}


def transform(rows: Sequence[UnhappyReview], context: Context) -> list[FeedbackRow]:
    """One row per review, in order. Raises Unfinished with those that were answered if the teacher then fails."""
    teacher = registry.teacher(context.profile)
    try:
        return _rows(rows, write(teacher, context.profile, rows, advice_language(context)), teacher)
    except ReviewInsightsError as error:
        raise Unfinished(_rows(rows, error.answers or [None] * len(rows), teacher)) from error


def _rows(rows: Sequence[UnhappyReview], answers: Sequence[Written | None], teacher: Generator) -> list[FeedbackRow]:
    return [
        FeedbackRow(
            **feedback_row(row["review_id"], "teacher", written.model or teacher.model, written),
            masked=list(written.masked.items()),
        )
        for row, written in zip(rows, answers, strict=True)
        if written is not None
    ]


def write(teacher: Generator, profile: Profile, rows: Sequence[UnhappyReview], language: str) -> list[Written]:
    """The teacher's answers with the profile's prompt, in order: checked where it asks for JSON, else screened."""
    config, taxonomy = profile.feedback, taxonomy_file(profile)
    requests = [request(row, config.prompt, taxonomy=taxonomy, language=language) for row in rows]
    if config.backend == "playbook":  # its words are its own, and the customer's in quotation marks
        return teacher.write(requests)
    if prompts.asks_for_json(config.prompt):
        return checked.write(teacher, Playbook(taxonomy), requests)
    return Screened(teacher).write(requests)


def feedback_row(review_id: str, role: str, model: str, written: Written) -> FeedbackRow:
    """A row of `feedback` from what a model wrote; a text without suggestions is kept, with an error that says so."""
    answer = read_answer(written.text, written.truncated)
    no_suggestion = None if answer.suggestions else "no suggestion could be parsed from the output"
    return FeedbackRow(
        review_id=review_id,
        role=role,
        model=model,
        text=answer.text or None,
        suggestions=answer.suggestions,
        raw_output=written.raw,
        truncated=written.truncated,
        error=written.error or answer.error or no_suggestion,
        faults=list(written.faults),
    )


FEEDBACK = Stage(
    "feedback",
    ("review_id",),
    spec,
    transform,
    parents=(SENTIMENT, EMOTIONS, THEMES),
    params=params,
    batch_size=64,
    outlives_text=True,
)
