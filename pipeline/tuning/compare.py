"""compare: several models side by side on labelled rows and probe phrases, their labels mapped onto ours."""

from __future__ import annotations

import hashlib
import json
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as strict

from pipeline.backends import registry
from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError, ReviewInsightsError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Sentiment
from pipeline.core.provenance import now
from pipeline.reader.base import Classifier
from pipeline.tuning import figures, memory, networks, page, record, significance
from pipeline.tuning.labelled.rows import Example, Labelled, targets

HERE = Path(__file__).resolve().parent
OVERALL = {
    "accuracy": "accuracy",
    "macro-F1": "macro_f1",
    "AUC": "macro_auc",
    "ECE": "ece",
    "ECE, tempered": "ece_tempered",
    "mean confidence": "confidence",
    "rows/s": "rows_per_second",
    "M parameters": "millions",
    "MB": "megabytes",
    "MB of GPU": "gpu_megabytes",
}
BRIEFLY = ("accuracy", "macro-F1", "AUC", "ECE", "rows/s", "M parameters", "MB")  # what a terminal has room for
WHOLE = ("rows_per_second", "millions", "megabytes", "gpu_megabytes")  # figures without three decimals
_EMBEDDED_PARAMETERS = 58_900_000  # of the reader: 37 million in its embeddings, 21 in its layers


@strict(frozen=True, config=ConfigDict(extra="forbid"))
class Candidate:
    """An entry in a list of models: exactly one of backend = "embedded", model, tuned_from."""

    name: str
    backend: str = "transformers"
    model: str = ""
    tuned_from: str = ""  # a base: the newest model that `finetune` made from it
    revision: str = "main"
    commit: str = ""  # prefix of the commit that `revision` must resolve to; any other is refused
    labels: dict[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()  # those it claims to read; shown, not enforced


class Probe(NamedTuple):
    """A phrase that shows how a model behaves, and the class a careful reader would give it."""

    kind: str
    expected: str
    text: str


class ProbeAnswer(TypedDict):
    """A model's prediction for a probe."""

    kind: str
    text: str
    expected: str
    says: str
    confidence: float
    probabilities: list[float]  # of SENTIMENTS


@dataclass(frozen=True)
class Compared:
    """One model's results, or the reason why it could not be loaded.

    `figures`: those of `figures.quality` with shift, confidence, rows_per_second, parameters, millions (of parameters) and
    memory (`memory.Peak`); `tempered`, the bins after temperature, with temperature and ece_tempered (`figures.tempered`).
    `correct`: whether it is right, for each row.
    """

    candidate: Candidate
    figures: dict[str, Any] | None = None
    probes: tuple[ProbeAnswer, ...] = ()
    correct: np.ndarray | None = None
    reason: str = ""


def load_models(path: Path | None = None) -> list[Candidate]:
    """The models listed in a TOML file (default: the shipped one). Raises InputError for an unusable list."""
    file = path or HERE / "models.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        candidates = TypeAdapter(list[Candidate]).validate_python(content.get("model", []))
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
    for candidate in candidates:
        if (candidate.backend == "embedded") + bool(candidate.model) + bool(candidate.tuned_from) != 1:
            raise InputError(f'{file}: {candidate.name} needs one of backend = "embedded", model, tuned_from.')
    if not candidates:
        raise InputError(f"The list of models {file} names none. See pipeline/tuning/models.toml.")
    return candidates


def candidates_from(names: Sequence[str]) -> list[Candidate]:
    """Candidates from --model values: embedded, a hub id, ID@REVISION, or a folder. Raises InputError if two share a name."""
    candidates = [_candidate(name) for name in names]
    labels = [candidate.name for candidate in candidates]
    if repeated := sorted({label for label in labels if labels.count(label) > 1}):
        raise InputError(
            f"Two models are called {repeated[0]}. Rename a folder, or give a list with names of your own."
        )
    return candidates


def _candidate(name: str) -> Candidate:
    if name == "embedded":
        return Candidate(name="ours", backend="embedded")
    folder = Path(name)
    if folder.is_dir():
        finetuned = folder.name == "model"  # where `finetune` puts it
        return Candidate(name=folder.resolve().parent.name if finetuned else folder.name, model=name)
    model, _, revision = name.partition("@")
    return Candidate(name=model, model=model, revision=revision or "main")


def load_probes(path: Path | None = None) -> list[Probe]:
    """Every probe phrase in a TOML file (default: the shipped one). Raises InputError for an unusable file."""
    file = path or HERE / "probes.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        probes = [Probe(str(p["kind"]), str(p["expected"]), str(text)) for p in content["probe"] for text in p["texts"]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"The probe phrases {file} cannot be read: {error}. See pipeline/tuning/probes.toml."
        ) from error
    if unknown := [probe.expected for probe in probes if probe.expected not in SENTIMENTS]:
        raise InputError(f"{file}: expected = {unknown[0]!r} is none of {', '.join(SENTIMENTS)}.")
    return probes


def resolve_tuned(candidate: Candidate, models: Path) -> Candidate:
    """A `tuned_from` candidate with the folder of the newest model tuned from that base, below `models`.

    Raises InputError, which says how to make one, if there is none.
    """
    tuned = []
    for file in models.glob("sentiment-*/training.json"):
        facts = json.loads(file.read_text(encoding="utf-8"))
        if facts.get("base") == candidate.tuned_from:
            tuned.append((file.stat().st_mtime, file.parent / "model"))
    if not tuned:
        raise InputError(f"none was tuned yet: review-insights finetune --model {candidate.tuned_from} --data ...")
    return Candidate(name=candidate.name, model=str(max(tuned)[1]), labels=candidate.labels)


def resolve_commit(candidate: Candidate) -> Candidate:
    """A candidate with a `commit`, its revision replaced by the full commit that the hub, or its local cache, resolves it to.

    Raises InputError if the revision cannot be resolved, or resolves to another commit than `commit`.
    """
    from huggingface_hub import hf_hub_download

    requested = f"{candidate.model} at {candidate.revision}"
    try:
        file = Path(hf_hub_download(candidate.model, "config.json", revision=candidate.revision))
    except (OSError, ValueError) as error:  # from the hub's client: no network, no such revision, no such name
        raise InputError(
            f"{requested} could not be resolved to a commit ({type(error).__name__}). Check the network and the revision."
        ) from error
    commit = file.parent.name  # .../snapshots/COMMIT/config.json
    if not commit.startswith(candidate.commit):
        raise InputError(
            f"{requested} is commit {commit[:7]} now, not {candidate.commit}: look at what changed there, "
            "then give that commit in a list of your own (--models)."
        )
    return replace(candidate, revision=commit)


def run(
    candidates: Sequence[Candidate],
    data: Labelled,
    probes: Sequence[Probe],
    warehouse: Path,
    models: Path,
    out: Path,
    limit: int = 0,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> tuple[list[Compared], Path]:
    """Evaluates every candidate on the same rows (`limit` of them, chosen by hash; 0: all) and probes, writes the page below
    `out` and publishes the figures: (results, path of the page).

    A candidate that cannot be loaded is a result with its reason. Raises InputError if none can.
    """
    figures.require_sklearn()
    record.require_writable(warehouse)
    started = now()
    rows = sample(data, limit)
    results = []
    for index, candidate in enumerate(candidates):
        progress("compare", index, len(candidates))
        try:
            results.append(_evaluate(candidate, rows, data, probes, models))
        except (ReviewInsightsError, OSError, ValueError, RuntimeError, ImportError) as error:
            results.append(Compared(candidate, reason=" ".join(str(error).split())[:300]))
    progress("compare", len(candidates), len(candidates))
    measured = [
        (f"compare:{result.candidate.name}", result.candidate.model or "embedded", result.figures)
        for result in results
        if result.figures is not None
    ]
    if not measured:
        raise InputError("No model could be loaded: " + "; ".join(f"{r.candidate.name}: {r.reason}" for r in results))
    seconds = {"compare": (now() - started).total_seconds()}
    subject = f"compare {len(measured)} models"
    run_id = record.publish_results(warehouse, "compare", subject, started, seconds, measured)
    correct = {result.candidate.name: result.correct for result in results if result.correct is not None}
    pairs = significance.pairs(correct, [row.language for row in rows])
    summaries = [_summary(result) for result in results]
    summary = {"run_id": run_id, "rows": len(rows), "models": summaries, "pairs": pairs}
    report = page.write(out / run_id, "compare", _page_content(results, rows, data, probes, pairs), summary)
    return results, report


def sample(data: Labelled, limit: int) -> list[Example]:
    """At most `limit` examples (0: all), in the order of a hash of their text."""
    rows = sorted(data.examples, key=lambda row: hashlib.sha256(row.text.encode()).hexdigest())
    return rows[:limit] if limit else rows


# --- One model ---


def _evaluate(
    candidate: Candidate, rows: Sequence[Example], data: Labelled, probes: Sequence[Probe], models: Path
) -> Compared:
    if candidate.tuned_from:
        candidate = resolve_tuned(candidate, models)
    if candidate.commit:
        candidate = resolve_commit(candidate)
    registry.sentiment.cache_clear()  # one model in memory at a time
    with memory.Peak() as peak:
        classifier = _load(candidate)
        classifier.probabilities(["warm up"])
        started = time.monotonic()
        probabilities = project(classifier.probabilities([row.text for row in rows]), data.classes)
        seconds = time.monotonic() - started
    truth, languages = targets(rows, data), [row.language for row in rows]
    result = figures.quality(probabilities, truth, data.classes, languages)
    result["shift"] = figures.language_shift(figures.score(probabilities, data.classes), truth, languages)
    result["confidence"] = float(probabilities.max(1).mean())
    result["rows_per_second"] = len(rows) / max(seconds, 1e-9)
    result["parameters"] = _parameters(classifier)
    result["millions"] = result["parameters"] / 1e6
    result["megabytes"], result["gpu_megabytes"] = peak.megabytes, peak.gpu_megabytes
    result |= figures.tempered(probabilities, truth)
    correct = figures.decide(probabilities) == truth
    return Compared(candidate, result, tuple(_answers(classifier, probes)), correct)


def _load(candidate: Candidate) -> Classifier:
    """The candidate's classifier."""
    section = Sentiment(
        backend="embedded" if candidate.backend == "embedded" else "transformers",
        model=candidate.model,
        revision=candidate.revision,
        labels=candidate.labels,
    )
    return registry.sentiment(section)


def _answers(classifier: Classifier, probes: Sequence[Probe]) -> Iterator[ProbeAnswer]:
    if not probes:
        return  # tokenizers reject an empty batch
    probabilities = classifier.probabilities([probe.text for probe in probes])
    for probe, values in zip(probes, probabilities, strict=True):
        yield ProbeAnswer(
            kind=probe.kind,
            text=probe.text,
            expected=probe.expected,
            says=SENTIMENTS[int(values.argmax())],
            confidence=float(values.max()),
            probabilities=[round(float(value), 4) for value in values],
        )


def project(probabilities: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Probabilities of SENTIMENTS reduced to the data's `classes`, each row summing to 1: on two-class data, a model that
    knows neutral is only asked which way it leans.
    """
    kept = [SENTIMENTS.index(name) for name in classes]
    return figures.normalised(probabilities[:, kept].astype(np.float64))


def _parameters(classifier: Any) -> int:
    network = getattr(getattr(classifier, "inner", classifier), "network", None)
    return _EMBEDDED_PARAMETERS if network is None else networks.count(network)[0]


# --- The page ---


def _summary(result: Compared) -> dict[str, Any]:
    """A model's entry in figures.json."""
    candidate = result.candidate
    return {
        "name": candidate.name,
        "model": candidate.model or "embedded",
        "revision": candidate.revision,
        "reason": result.reason,
        "figures": result.figures,
        "probes": result.probes,
    }


def _page_content(
    results: Sequence[Compared],
    rows: Sequence[Example],
    data: Labelled,
    probes: Sequence[Probe],
    pairs: Sequence[significance.Pair],
) -> dict[str, Any]:
    """What the templates show."""
    compared = [result for result in results if result.figures is not None]
    measured = [(result.candidate.name, result.figures or {}) for result in compared]
    kinds = list(dict.fromkeys(probe.kind for probe in probes))
    reliability = [
        (name, page.reliability([("as it is", quality), ("tempered", quality | {"bins": quality["tempered"]})]))
        for name, quality in measured
        if quality["tempered"]
    ]
    shift = [
        (name, page.shift_chart(f"Score shift by language, {name}", quality["shift"])) for name, quality in measured
    ]
    return {
        "rows": len(rows),
        "classes": data.classes,
        "measured": measured,
        "failed": [result for result in results if result.figures is None],
        "overall": {
            title: key for title, key in OVERALL.items() if any(quality[key] is not None for _, quality in measured)
        },
        "whole": WHOLE,
        "pairs": [(pair, significance.sentence(pair)) for pair in pairs if pair["language"] == significance.ALL],
        "by_language": _by_language(pairs),
        "sentiments": SENTIMENTS,
        "kinds": kinds,
        "by_kind": [
            {"name": result.candidate.name, "cells": [_cell(result.probes, kind) for kind in kinds]}
            for result in compared
            if kinds
        ],
        "phrases": [
            {**probe._asdict(), "answers": [result.probes[index] for result in compared]}
            for index, probe in enumerate(probes)
        ],
        "languages": sorted({row.language for row in rows}),
        "cautions": [(name, figures.caution(quality["shift"])) for name, quality in measured],
        "plots": {"reliability": reliability, "shift": shift},
        "read": [(r.candidate.name, ", ".join(r.candidate.languages)) for r in results if r.candidate.languages],
    }


def _by_language(pairs: Sequence[significance.Pair]) -> list[tuple[str, dict[str, significance.Pair]]]:
    """(the pair's names, language -> its figures) of each pair of models."""
    found: dict[str, dict[str, significance.Pair]] = {}
    for pair in pairs:
        if pair["language"] != significance.ALL:
            found.setdefault(f"{pair['a']} – {pair['b']}", {})[pair["language"]] = pair
    return list(found.items())


def _cell(answers: Sequence[ProbeAnswer], kind: str) -> dict[str, float]:
    """A model on one kind of probe: how many answers are right, of how many, and its mean confidence."""
    of_kind = [answer for answer in answers if answer["kind"] == kind]
    return {
        "right": sum(answer["says"] == answer["expected"] for answer in of_kind),
        "n": len(of_kind),
        "confidence": float(np.mean([answer["confidence"] for answer in of_kind])),
    }


def default_data() -> tuple[Path, str, str]:
    """(file, text column, label column) of the bundled sample, whose labels are stars."""
    return SAMPLE, "title+review", "rating"
