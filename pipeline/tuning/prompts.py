"""compare-prompts: prompts and teachers on the same unhappy reviews, side by side, with what each costs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

from pipeline.advice import verify
from pipeline.advice.answer import read_answer
from pipeline.advice.phrases import advice_language
from pipeline.backends import registry
from pipeline.backends.base import Written
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.rows import UnhappyReview
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse, sql_file
from pipeline.metrics import grounding
from pipeline.quality.intervals import bootstrap_mean, paired_bootstrap
from pipeline.stages import feedback
from pipeline.tuning import page

MEASURES = {  # of each text, shown with its mean, and its difference to the first writer's
    "grounding": "reciprocal rank of its own review among the others",
    "support": "share of its steps that share words with the review",
    "steps": "steps",
    "words": "words (characters / 2 where they are not set apart)",
}
_SHOWN = 5  # reviews whose texts the page holds in full

Progress = Callable[[str, int, int], None]


class Side(TypedDict):
    """What one writer wrote."""

    name: str
    texts: list[str]
    values: dict[str, list[float]]  # measure -> a value per review
    failed: int
    again: int  # asked once more
    replaced: int  # by the playbook
    seconds: float  # per review
    tokens: tuple[float, float]  # of prompt and answer, per review; 0: not counted


def run(
    warehouse: Warehouse,
    profiles: Sequence[Profile],
    prompts: Sequence[str],
    out: Path,
    *,
    limit: int = 100,
    price: tuple[float, float] = (0.0, 0.0),
    progress: Progress = lambda name, done, total: None,
) -> tuple[dict[str, Any], Path]:
    """(figures, page) of each profile's teacher with each prompt, on `limit` unhappy reviews chosen by hash. The playbook reads no
    prompt and appears once. `price`: per million tokens of prompts and of answers. Raises InputError without unhappy reviews.
    """
    rows: list[Any] = warehouse.query(
        sql_file("reading", "unhappy_sample.sql"), {"max_stars": profiles[0].feedback.max_stars, "limit": limit}
    )
    if not rows:
        raise InputError("There are no unhappy reviews in this warehouse: run the stages on reviews first.")
    sides = [_side(name, profile, rows, warehouse, progress) for name, profile in _writers(profiles, prompts).items()]
    content = {
        "reviews": [row["text"] for row in rows[:_SHOWN]],
        "n": len(rows),
        "measures": MEASURES,
        "sides": [_figures(side, sides[0], price) for side in sides],
        "texts": [[side["texts"][at] for side in sides] for at in range(min(_SHOWN, len(rows)))],
    }
    return content, page.write(out, "prompts", content, content)


def _writers(profiles: Sequence[Profile], prompts: Sequence[str]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for profile in profiles:
        if profile.feedback.backend == "playbook":
            found[f"{profile.name}: playbook"] = profile
            continue
        for prompt in prompts or [profile.feedback.prompt]:
            config = dataclasses.replace(profile.feedback, prompt=prompt)
            model = Path(config.model).name if config.backend == "gguf" else config.model
            found[f"{profile.name}: {model}, {prompt}"] = dataclasses.replace(profile, feedback=config)
    return found


def _side(name: str, profile: Profile, rows: Sequence[UnhappyReview], warehouse: Warehouse, progress: Progress) -> Side:
    teacher = registry.teacher(profile)
    language = advice_language(Context(profile, warehouse, "", "", Path()))
    started, answers = time.perf_counter(), list[Written]()
    for at in range(0, len(rows), feedback.FEEDBACK.batch_size):
        progress(name, at, len(rows))
        answers += feedback.write(teacher, profile, rows[at : at + feedback.FEEDBACK.batch_size], language)
    progress(name, len(rows), len(rows))
    seconds = (time.perf_counter() - started) / len(rows)
    read = [read_answer(one.text, one.truncated) for one in answers]
    reviews = [str(row["text"]) for row in rows]
    texts = [one.text for one in read]
    return Side(
        name=name,
        texts=texts,
        values={
            "grounding": grounding.score(texts, reviews, reviews),
            "support": [verify.support(one.suggestions, review) for one, review in zip(read, reviews, strict=True)],
            "steps": [float(len(one.suggestions)) for one in read],
            "words": [verify.length(text) for text in texts],
        },
        failed=sum(bool(one.error or another.error) for one, another in zip(answers, read, strict=True)),
        again=sum(bool(one.faults) for one in answers),
        replaced=sum(one.model is not None for one in answers),
        seconds=seconds,
        tokens=(
            sum(one.usage[0] for one in answers) / len(rows),
            sum(one.usage[1] for one in answers) / len(rows),
        ),
    )


def _figures(side: Side, first: Side, price: tuple[float, float]) -> dict[str, Any]:
    """Of a side: means with intervals, and what they differ from the first one's, review by review."""
    cost = sum(tokens * each for tokens, each in zip(side["tokens"], price, strict=True)) / 1e6
    return {
        **{key: side[key] for key in ("name", "failed", "again", "replaced", "seconds", "tokens")},
        "cost": 1000 * cost,
        "means": {
            name: {
                "mean": sum(values) / len(values),
                "interval": bootstrap_mean(values),
                "difference": paired_bootstrap(values, first["values"][name]) if side is not first else None,
            }
            for name, values in side["values"].items()
        },
    }
