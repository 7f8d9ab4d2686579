"""compare: several models side by side over labelled rows and probe phrases, their labels mapped onto ours."""

from __future__ import annotations

import functools
import hashlib
import json
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as strict

from pipeline.backends import registry
from pipeline.core.errors import InputError, ReviewInsightsError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Sentiment
from pipeline.core.provenance import now
from pipeline.tuning import figures, page, record
from pipeline.tuning.labelled.rows import Example, Labelled

HERE = Path(__file__).resolve().parent
OVERALL = {"accuracy": "accuracy", "macro-F1": "macro_f1", "AUC": "macro_auc", "ECE": "ece",
           "mean confidence": "confidence", "rows/s": "rows_per_second", "M parameters": "millions"}  # fmt: skip
_EMBEDDED_PARAMETERS = 24_060_000  # MiniLM, its adapter and both heads


@strict(frozen=True, config=ConfigDict(extra="forbid"))
class Candidate:
    """One line of a list of models. Exactly one of backend "embedded", model, tuned_from."""

    name: str
    backend: str = "transformers"
    model: str = ""
    tuned_from: str = ""  # the newest model that `finetune` made of this base
    revision: str = "main"
    labels: dict[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()  # that it claims to read; shown, not enforced


@dataclass(frozen=True)
class Compared:
    """What one model did, or why it could not be loaded."""

    candidate: Candidate
    figures: dict[str, Any] | None = None
    probes: tuple[dict[str, Any], ...] = ()
    reason: str = ""


def load_models(path: Path | None = None) -> list[Candidate]:
    """The list of models in a TOML file (default: the shipped one). Raises InputError."""
    file = path or HERE / "models.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        found = TypeAdapter(list[Candidate]).validate_python(content.get("model", []))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"The list of models {file} cannot be read: {error}. See pipeline/tuning/models.toml."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"The list of models {file}: {key}: {first['msg'].lower()}. See pipeline/tuning/models.toml."
        ) from error
    for candidate in found:
        if (candidate.backend == "embedded") + bool(candidate.model) + bool(candidate.tuned_from) != 1:
            raise InputError(f'{file}: {candidate.name} needs one of backend = "embedded", model, tuned_from.')
    if not found:
        raise InputError(f"The list of models {file} names none. See pipeline/tuning/models.toml.")
    return found


def given(names: Sequence[str]) -> list[Candidate]:
    """Candidates of --model values: embedded, a hub id, ID@REVISION, or a folder."""
    result = []
    for name in names:
        if name == "embedded":
            result.append(Candidate(name="ours", backend="embedded"))
            continue
        model, _, revision = name.partition("@") if not Path(name).exists() else (name, "", "")
        label = Path(name).name if Path(name).is_dir() else model
        if Path(name).is_dir() and label == "model":  # where `finetune` puts it
            label = Path(name).resolve().parent.name
        result.append(Candidate(name=label, model=model, revision=revision or "main"))
    return _distinct(result)


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    names = [candidate.name for candidate in candidates]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"Two models are called {twice[0]}. Rename a folder, or give a list with names of your own.")
    return list(candidates)


def load_probes(path: Path | None = None) -> list[tuple[str, str, str]]:
    """(kind, expected class, text) of every probe phrase. Raises InputError."""
    file = path or HERE / "probes.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        probes = [(str(p["kind"]), str(p["expected"]), str(text)) for p in content["probe"] for text in p["texts"]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"The probe phrases {file} cannot be read: {error}. See pipeline/tuning/probes.toml."
        ) from error
    if wrong := [expected for _, expected, _ in probes if expected not in SENTIMENTS]:
        raise InputError(f"{file}: expected = {wrong[0]!r} is none of {', '.join(SENTIMENTS)}.")
    return probes


def resolve_tuned(candidate: Candidate, models: Path) -> Candidate:
    """A `tuned_from` candidate with the folder of the newest such model. Raises InputError that says how to make one."""
    made = []
    for mark in models.glob("sentiment-*/training.json"):
        facts = json.loads(mark.read_text(encoding="utf-8"))
        if facts.get("base") == candidate.tuned_from:
            made.append((mark.stat().st_mtime, mark.parent / "model"))
    if not made:
        raise InputError(f"none was tuned yet: review-insights finetune --model {candidate.tuned_from} --data ...")
    return Candidate(name=candidate.name, model=str(max(made)[1]), labels=candidate.labels)


def run(
    candidates: Sequence[Candidate],
    data: Labelled,
    probes: Sequence[tuple[str, str, str]],
    warehouse: Path,
    models: Path,
    out: Path,
    limit: int = 0,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> tuple[list[Compared], Path]:
    """Every candidate over the same rows (at most `limit`, chosen by hash) and probes: (results, report).

    A candidate that cannot be loaded is a result with its reason. Raises InputError when none can.
    """
    figures.require_sklearn()
    record.require_writable(warehouse)
    started = now()
    rows = sample(data, limit)
    results = []
    for index, candidate in enumerate(candidates):
        progress("compare", index, len(candidates))
        try:
            results.append(_judge(candidate, rows, data, probes, models))
        except (ReviewInsightsError, OSError, ValueError, RuntimeError, ImportError) as error:
            results.append(Compared(candidate, reason=" ".join(str(error).split())[:300]))
    progress("compare", len(candidates), len(candidates))
    judged = [result for result in results if result.figures is not None]
    if not judged:
        raise InputError("No model could be loaded: " + "; ".join(f"{r.candidate.name}: {r.reason}" for r in results))
    run_id = record.record(
        warehouse, "compare", f"compare {len(judged)} models", started, {"compare": (now() - started).total_seconds()},
        [(f"compare:{r.candidate.name}", r.candidate.model or "embedded", r.figures or {}) for r in judged],
    )  # fmt: skip
    told = {"run_id": run_id, "rows": len(rows), "models": [
        {"name": r.candidate.name, "model": r.candidate.model or "embedded", "revision": r.candidate.revision,
         "reason": r.reason, "figures": r.figures, "probes": r.probes} for r in results]}  # fmt: skip
    report = page.write(out / run_id, "compare", _content(results, rows, data, probes), told)
    return results, report


def sample(data: Labelled, limit: int) -> list[Example]:
    """All examples, or `limit` of them in the order of a hash of their text."""
    rows = sorted(data.examples, key=lambda row: hashlib.sha256(row.text.encode()).hexdigest())
    return rows[:limit] if limit else rows


def _judge(
    candidate: Candidate, rows: Sequence[Example], data: Labelled, probes: Sequence[tuple[str, str, str]], models: Path
) -> Compared:
    if candidate.tuned_from:
        candidate = resolve_tuned(candidate, models)
    section = Sentiment(backend="embedded" if candidate.backend == "embedded" else "transformers", model=candidate.model,
                        revision=candidate.revision, labels=candidate.labels)  # fmt: skip
    registry.sentiment.cache_clear()  # one model in memory at a time
    classifier = registry.sentiment(section)[0].load()  # of the embedded models the one for English
    classifier.probabilities(["warm up"])
    started = time.monotonic()
    chances = classifier.probabilities([row.text for row in rows])
    seconds = time.monotonic() - started
    ours = _onto(chances, data.classes)
    truth = np.array([row.classes[0] for row in rows])
    languages = [row.language for row in rows]
    own = figures.quality(ours, truth, data.classes, languages)
    own["shift"] = figures.language_shift(figures.score(ours, data.classes), truth, languages)
    own["confidence"] = float(ours.max(1).mean())
    own["rows_per_second"] = len(rows) / max(seconds, 1e-9)
    own["parameters"] = _parameters(classifier)
    own["millions"] = own["parameters"] / 1e6
    said = classifier.probabilities([text for _, _, text in probes])
    answers = tuple(
        {"kind": kind, "text": text, "expected": expected, "says": SENTIMENTS[int(values.argmax())],
         "confidence": float(values.max())}
        for (kind, expected, text), values in zip(probes, said, strict=True)
    )  # fmt: skip
    return Compared(candidate, own, answers)


def _onto(chances: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Three probabilities to those of the data's classes, each row summing to 1. A two-class data set asks a model
    that knows neutral only for the side it leans to.
    """
    kept = chances[:, [SENTIMENTS.index(name) for name in classes]].astype(np.float64)
    total = kept.sum(1, keepdims=True)
    return np.asarray(np.where(total > 0, kept / np.maximum(total, 1e-12), 1 / kept.shape[1]))


def _parameters(classifier: Any) -> int:
    network = getattr(getattr(classifier, "inner", classifier), "network", None)
    if network is None:
        return _EMBEDDED_PARAMETERS
    from pipeline.tuning.networks import count

    return count(network)[0]


def _content(
    results: Sequence[Compared], rows: Sequence[Example], data: Labelled, probes: Sequence[tuple[str, str, str]]
) -> dict[str, Any]:
    judged = [(r.candidate.name, r.figures) for r in results if r.figures is not None]
    kinds = list(dict.fromkeys(kind for kind, _, _ in probes))
    by_kind = []
    for result in results:
        cells = []
        for kind in kinds if result.figures else []:
            own = [answer for answer in result.probes if answer["kind"] == kind]
            cells.append(
                {
                    "right": sum(answer["says"] == answer["expected"] for answer in own),
                    "n": len(own),
                    "confidence": float(np.mean([answer["confidence"] for answer in own])),
                }
            )
        if cells:
            by_kind.append({"name": result.candidate.name, "cells": cells})
    phrases = [
        {"kind": kind, "expected": expected, "text": text,
         "answers": [r.probes[index] for r in results if r.figures is not None]}
        for index, (kind, expected, text) in enumerate(probes)
    ]  # fmt: skip
    return {
        "rows": len(rows),
        "classes": data.classes,
        "judged": judged,
        "failed": [r for r in results if r.figures is None],
        "overall": OVERALL,
        "kinds": kinds,
        "by_kind": by_kind,
        "phrases": phrases,
        "languages": sorted({row.language for row in rows}),
        "cautions": [(name, figures.caution(own["shift"])) for name, own in judged],
        "plots": {
            "reliability": [(name, page.reliability([(name, own)])) for name, own in judged],
            "shift": [
                (name, page.shift_chart(f"Score shift by language, {name}", own["shift"])) for name, own in judged
            ],
        },
        "read": [(r.candidate.name, ", ".join(r.candidate.languages)) for r in results if r.candidate.languages],
    }


@functools.cache
def default_data() -> tuple[Path, str, str]:
    """(file, text column, label column) of the bundled sample, whose stars are the labels."""
    from pipeline.core.assets import SAMPLE

    return SAMPLE, "title+review", "rating"
