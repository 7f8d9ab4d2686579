"""finetune: read and check the data, train, judge base and tuned model on the same test rows, write page and warehouse rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backends.transformers import TransformersClassifier, from_pretrained, resolve
from pipeline.core.labels import SENTIMENTS
from pipeline.core.provenance import now
from pipeline.quality import intervals
from pipeline.reader import calibration
from pipeline.report import charts
from pipeline.report.export import neutralise
from pipeline.tuning import figures, networks, page, record, trainer
from pipeline.tuning.labelled.rows import Example, Labelled
from pipeline.tuning.labelled.split import stratified_split
from pipeline.tuning.trainer import Settings

OVERALL = {"accuracy": "accuracy", "macro precision": "macro_precision", "macro recall": "macro_recall",
           "macro-F1": "macro_f1", "AUC": "macro_auc", "ECE": "ece"}  # fmt: skip
SHOWN = 25  # mistakes on the page


@dataclass(frozen=True)
class Tuned:
    """What `finetune` tells at its end."""

    folder: Path
    model: Path
    report: Path
    run_id: str
    base: dict[str, Any]
    tuned: dict[str, Any]
    facts: dict[str, Any]
    verdict: str


def run(
    data: Labelled,
    settings: Settings,
    out: Path,
    warehouse: Path,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Tuned | None:
    """The whole of `finetune` on data that was read already. None on all but the first of several processes.

    Raises InputError before anything is trained for settings that cannot work.
    """
    figures.require_sklearn()
    record.require_writable(warehouse)
    parts = stratified_split(
        data, fraction=settings.fraction, validation=settings.validation, test=settings.test, seed=settings.seed
    )
    started = now()
    folder = out / f"{settings.task}-{Path(settings.model).name}-{settings.method}-{settings.key(data)}"
    facts = trainer.train(parts, data.classes, settings, folder, lambda done, total: progress("train", done, total))
    if trainer.processes()[0] != 0:
        return None
    trained = now()
    test, validation = parts["test"], parts["validation"]
    thresholds = [facts["thresholds"][name] for name in data.classes] if "thresholds" in facts else None
    progress("judge", 0, 2)
    before, base_note = _judge_base(settings, data, test)
    progress("judge", 1, 2)
    tuned_model = TransformersClassifier(str(folder / "model"), "main", _activation(settings))
    after = project(tuned_model.probabilities([row.text for row in test]), tuned_model.labels, data)
    progress("judge", 2, 2)
    truth = _truth(test, data)
    languages = [row.language for row in test]
    half = None if thresholds is None else [0.5] * len(thresholds)
    base = figures.quality(before, truth, data.classes, languages, half)
    tuned = figures.quality(after, truth, data.classes, languages, thresholds)
    facts["learned"] = figures.learned(facts["languages"], tuned)
    content: dict[str, Any] = {"caution": [], "plots": {"shift": "", "shift_calibrated": ""}}
    if settings.task == "sentiment":
        base["shift"] = figures.language_shift(figures.score(before, data.classes), truth, languages)
        tuned["shift"] = figures.language_shift(figures.score(after, data.classes), truth, languages)
        content["caution"] = figures.caution(tuned["shift"])
        content["plots"]["shift"] = page.shift_chart(
            "Score against the other languages, rows of the same label", tuned["shift"]
        )
        if data.classes == SENTIMENTS:
            known = project(tuned_model.probabilities([row.text for row in validation]), tuned_model.labels, data)
            fitted = calibration.fit(known, _truth(validation, data), [row.language for row in validation])
            calibration.save(fitted, folder / "model" / "calibration.json")
            facts["calibrated"] = _calibrated(fitted, after, truth, languages, data, content)
    wrong = _wrong(test, before, after, truth, data, (half, thresholds))
    _write_wrong(folder / "misclassified.csv", wrong)
    verdict = f"{_verdict(before, after, truth, half, thresholds)} {figures.guessing(tuned)}".rstrip()
    shown = _content(facts, base, tuned, data, folder)
    content |= shown | {"plots": content["plots"] | shown["plots"]}
    content |= {"verdict": verdict, "base_note": base_note, "wrong": wrong[:SHOWN], "wrong_count": len(wrong)}
    seconds = {"train": facts["seconds"], "judge": round((now() - trained).total_seconds(), 1)}
    run_id = record.record(
        warehouse, "finetune", folder.name, started, seconds,
        [("finetune_base", facts["base"], base), ("finetune_tuned", folder.name, tuned)],
    )  # fmt: skip
    told = {"run_id": run_id, "verdict": verdict, "training": facts, "base": base, "tuned": tuned,
            "dropped": data.dropped, "rows": data.rows}  # fmt: skip
    report = page.write(folder, "finetune", content, told)
    return Tuned(folder, folder / "model", report, run_id, base, tuned, facts, verdict)


def _activation(settings: Settings) -> Any:
    return "sigmoid" if settings.task == "emotions" else "softmax"


def _truth(rows: Sequence[Example], data: Labelled) -> np.ndarray:
    if data.task == "sentiment":
        return np.array([row.classes[0] for row in rows])
    truth = np.zeros((len(rows), len(data.classes)), dtype=int)
    for index, row in enumerate(rows):
        truth[index, list(row.classes)] = 1
    return truth


def project(chances: np.ndarray, columns: Sequence[str], data: Labelled) -> np.ndarray:
    """A model's probabilities in the order of our classes; several columns of one class are added up.

    Sentiment: classes that the data does not have are left out, and each row sums to 1 again.
    """
    ours = np.zeros((len(chances), len(data.classes)), dtype=np.float64)
    for column, name in enumerate(columns):
        if name in data.classes:
            ours[:, data.classes.index(name)] += chances[:, column]
    if data.task == "sentiment":
        total = ours.sum(1, keepdims=True)
        ours = np.where(total > 0, ours / np.maximum(total, 1e-12), 1 / ours.shape[1])
    return ours


def _judge_base(settings: Settings, data: Labelled, rows: Sequence[Example]) -> tuple[np.ndarray, str]:
    """Probabilities of the untouched base: of its own head where it has one for this task, else of an untrained head,
    the one that training started from.
    """
    from transformers import AutoConfig

    texts = [row.text for row in rows]
    config = from_pretrained(AutoConfig, resolve(settings.model), settings.revision)
    own = networks.own_classes(config, settings.task)
    if own is not None and set(data.classes) <= set(own):
        model = TransformersClassifier(settings.model, settings.revision, _activation(settings))
        return project(model.probabilities(texts), own, data), "The base is judged by its own trained head."
    network, tokenizer = networks.load(
        settings.model, settings.revision, task=settings.task, columns=data.classes, seed=settings.seed,
        quantize=settings.recipe["quantize"], lora=None,
    )  # fmt: skip
    network.config.review_insights = {"max_tokens": settings.recipe["max_tokens"]}
    model = TransformersClassifier.of(network, tokenizer, settings.model, _activation(settings))
    note = "The base has no head for this task: it is judged with the untrained head that training started from."
    return project(model.probabilities(texts), data.classes, data), note


def _calibrated(
    fitted: dict[str, Any], raw: np.ndarray, truth: np.ndarray, languages: Sequence[str], data: Labelled,
    content: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """What the calibration changes on the test rows."""
    chances = calibration.apply(fitted, raw, languages)
    before = figures.quality(raw, truth, data.classes)
    after = figures.quality(chances, truth, data.classes)
    shift = figures.language_shift(figures.score(chances, data.classes), truth, languages)
    content["plots"]["shift_calibrated"] = page.shift_chart("The same after per-language calibration", shift)
    content |= {"ece_raw": before["ece"], "ece_calibrated": after["ece"], "accuracy_raw": before["accuracy"],
                "accuracy_calibrated": after["accuracy"]}  # fmt: skip
    return {"ece": after["ece"], "accuracy": after["accuracy"], "macro_f1": after["macro_f1"], "shift": shift}


def _names(decided: np.ndarray, data: Labelled) -> list[str]:
    if decided.ndim == 1:
        return [data.classes[index] for index in decided]
    return [
        ", ".join(name for name, chosen in zip(data.classes, row, strict=True) if chosen) or "none" for row in decided
    ]


def _wrong(
    rows: Sequence[Example], before: np.ndarray, after: np.ndarray, truth: np.ndarray, data: Labelled,
    thresholds: tuple[Sequence[float] | None, Sequence[float] | None],
) -> list[dict[str, Any]]:  # fmt: skip
    """Test rows that the tuned model gets wrong, the surest first."""
    base, tuned = (figures.decide(chances, own) for chances, own in zip((before, after), thresholds, strict=True))
    said, earlier, right = _names(tuned, data), _names(base, data), _names(truth, data)
    sure = after.max(1)
    places = [index for index in range(len(rows)) if said[index] != right[index]]
    return [
        {"text": rows[i].text, "language": rows[i].language, "label": right[i], "tuned": said[i],
         "confidence": round(float(sure[i]), 4), "base": earlier[i], "source": rows[i].source}
        for i in sorted(places, key=lambda index: -sure[index])
    ]  # fmt: skip


def _write_wrong(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "language", "label", "tuned", "confidence", "base", "source"])
        writer.writerows([neutralise(value) for value in row.values()] for row in rows)


def _verdict(
    before: np.ndarray, after: np.ndarray, truth: np.ndarray, half: Sequence[float] | None, own: Sequence[float] | None
) -> str:
    def correct(chances: np.ndarray, thresholds: Sequence[float] | None) -> np.ndarray:
        hits = figures.decide(chances, thresholds) == truth
        return (hits.all(1) if truth.ndim == 2 else hits).astype(float)

    gain, low, high = intervals.paired_bootstrap(correct(after, own), correct(before, half))
    if gain is None or low is None or high is None:
        return "Too few test rows to compare."
    says = "more right than" if low > 0 else "fewer right than" if high < 0 else "not clearly different from"
    return (
        f"The tuned model is {says} the base: {100 * gain:+.1f} points of accuracy "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f}, {len(truth)} test rows)."
    )


def _content(
    facts: dict[str, Any], base: dict[str, Any], tuned: dict[str, Any], data: Labelled, folder: Path
) -> dict[str, Any]:
    results = [("base", base), ("tuned", tuned)]
    history = facts["history"]
    lines = [
        (name.replace("_", " "), [(row["epoch"], row[name]) for row in history if name in row])
        for name in ("train_loss", "validation_loss", "validation_macro_f1")
    ]
    plots = {
        "confusion": [
            (name, charts.confusion(f"Confusion of the {name} model", data.classes, result["confusion"]))
            for name, result in results
            if "confusion" in result
        ],
        "reliability": page.reliability(results),
        "training": charts.curves("Training and validation, epoch by epoch", lines, "epoch"),
    }
    dropped = ", ".join(f"{count} {reason}" for reason, count in data.dropped.items()) or "none"
    return {
        "facts": facts,
        "results": results,
        "overall": OVERALL,
        "plots": plots,
        "data_note": f"{data.rows} rows in, {len(data.examples)} kept, left out: {dropped}.",
        "usage": usage(facts, folder / "model"),
    }


def usage(facts: dict[str, Any], model: Path | str) -> str:
    """The lines of a profile that make a model the pipeline's classifier."""
    lines = ['extends = "embedded"', "", f"[{facts['task']}]", 'backend = "transformers"', f'model = "{model}"',
             f"languages = {json.dumps(facts['learned'])}   # those it learned; empty: judge every language"]  # fmt: skip
    if "calibrated" in facts:
        lines.append(f'calibration = "{model}/calibration.json"')
    return "\n".join(lines)
