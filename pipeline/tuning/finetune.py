"""finetune: train, evaluate base and tuned model on the same test rows, write the page and the warehouse rows."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np

from pipeline.backends.transformers import TransformersClassifier, from_pretrained, resolve
from pipeline.core.labels import SENTIMENTS
from pipeline.core.provenance import now
from pipeline.quality import intervals
from pipeline.reader import calibration
from pipeline.report import charts
from pipeline.report.export import neutralise
from pipeline.tuning import costs as costing
from pipeline.tuning import figures, networks, page, record, trainer, unseen
from pipeline.tuning.labelled.rows import Example, Labelled, Task, targets
from pipeline.tuning.labelled.split import stratified_split
from pipeline.tuning.trainer import Settings

OVERALL = {
    "accuracy": "accuracy",
    "macro precision": "macro_precision",
    "macro recall": "macro_recall",
    "macro-F1": "macro_f1",
    "AUC": "macro_auc",
    "ECE": "ece",
}
SHOWN = 25  # mistakes on the page
COST_CALIBRATION = "calibration_by_cost.json"  # where costs were given for a sentiment model; no part of the model


@dataclass(frozen=True)
class Tuned:
    """What `finetune` produced: paths, and the figures (`figures.quality`) of base and tuned model."""

    folder: Path
    model: Path
    report: Path
    run_id: str
    base: dict[str, Any]
    tuned: dict[str, Any]
    facts: dict[str, Any]
    verdict: str


@dataclass(frozen=True)
class Predictions:
    """One model's predictions for the test rows."""

    probabilities: np.ndarray  # (rows, classes), in the order of the data's classes
    thresholds: Sequence[float] | None = None  # one per class for emotions, None for sentiment

    @property
    def decisions(self) -> np.ndarray:
        """As `figures.decide`: class indices, or 0 and 1 per class."""
        return figures.decide(self.probabilities, self.thresholds)

    def split(self, at: int) -> tuple[Predictions, Predictions]:
        """Those for the first `at` rows, and those for the others."""
        return Predictions(self.probabilities[:at], self.thresholds), Predictions(
            self.probabilities[at:], self.thresholds
        )


@dataclass(frozen=True)
class Gain:
    """How much more often one model is right than another on the same rows: a difference of shares, with its 95 % interval."""

    mean: float | None  # None: there are too few rows
    low: float | None
    high: float | None
    rows: int

    @property
    def is_clear(self) -> bool:
        """Whether chance alone hardly makes it."""
        return self.low is not None and self.low > 0

    def told(self, model: str, other: str) -> str:
        """In a sentence."""
        if self.mean is None or self.low is None or self.high is None:
            return "Too few test rows to compare."
        relation = (
            "more right than" if self.low > 0 else "fewer right than" if self.high < 0 else "not clearly different from"
        )
        return (
            f"{model} is {relation} {other}: {100 * self.mean:+.1f} points of accuracy "
            f"(95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f}, {self.rows} test rows)."
        )


class Mistake(TypedDict):
    """A test row that the tuned model gets wrong: a row of misclassified.csv."""

    text: str
    language: str
    label: str
    tuned: str
    confidence: float
    base: str
    source: str


def run(
    data: Labelled,
    settings: Settings,
    out: Path,
    warehouse: Path,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
    shown: Sequence[unseen.Text] = (),
    costs: Mapping[str, float] | None = None,
) -> Tuned | None:
    """Trains, evaluates, writes the page below `out` and publishes the figures. None on all but the first of several processes.

    `progress`: called with (step, done, total). `shown`: texts on which the page shows base and tuned model side by side.
    `costs`: what missing a row of each class costs (`costs.parse`); None: costs are left out. Neither changes what is trained.
    Raises InputError, before training, for settings that cannot work.
    """
    figures.require_sklearn()
    record.require_writable(warehouse)
    parts = _split(data, settings)
    started = now()
    ways = [replace(settings, augment=False), settings] if settings.augment else [settings]
    folders = [out / f"{way.task}-{Path(way.model).name}-{way.method}-{way.key(data)}" for way in ways]
    trainings = [
        trainer.train(
            parts, data.classes, way, folder, functools.partial(progress, "with variants" if way.augment else "train")
        )
        for way, folder in zip(ways, folders, strict=True)
    ]
    if trainer.processes()[0] != 0:
        return None
    trained = now()
    test = parts["test"]
    texts = [row.text for row in test] + [text.text for text in shown]
    progress("evaluate", 0, 2)
    both, base_note = _predict_base(settings, data, texts)
    base, base_shown = both.split(len(test))
    progress("evaluate", 1, 2)
    models = [TransformersClassifier(str(folder / "model"), "main", _activation(settings.task)) for folder in folders]
    whole = [
        Predictions(_probabilities(model, texts, data), _thresholds(facts, data))
        for model, facts in zip(models, trainings, strict=True)
    ]
    predicted = [one.split(len(test))[0] for one in whole]
    progress("evaluate", 2, 2)
    gain = _gain(predicted[-1], predicted[0], targets(test, data)) if settings.augment else None
    chosen = 1 if gain and gain.is_clear else 0  # no gain, no default
    folder, facts, classifier = folders[chosen], trainings[chosen], models[chosen]
    tuned, tuned_shown = whole[chosen].split(len(test))
    results = {"base": _evaluate(base, test, data), "tuned": _evaluate(tuned, test, data)}
    facts["learned"] = figures.learned(facts["languages"], results["tuned"])
    if data.classes == SENTIMENTS or costs:
        facts |= _serve(classifier, base, tuned, parts, data, folder, costs)
    known = [*parts["train"], *parts["validation"]]
    compared = {
        "shown": _side_by_side(shown, base_shown, tuned_shown, data, known),
        "outcomes": unseen.outcomes(_side_by_side(unseen.texts_of(test, data), base, tuned, data, ())),
    }
    mistakes = _mistakes(test, base, tuned, data)
    _write_mistakes(folder / "misclassified.csv", mistakes)
    verdict = f"{_verdict(base, tuned, targets(test, data))} {figures.guessing_note(results['tuned'])}".rstrip()
    if gain:
        sizes = {name: one["rows"]["train"] for name, one in zip(("without", "with"), trainings, strict=True)}
        facts["augmentation"] = {**vars(gain), "train_rows": sizes, "offered": gain.is_clear}
        verdict = f"{verdict} {_augmentation(gain, sizes)}"
    seconds = {
        "train": sum(one["seconds"] for one in trainings),
        "evaluate": round((now() - trained).total_seconds(), 1),
    }
    rows = [("finetune_base", facts["base"], results["base"]), ("finetune_tuned", folder.name, results["tuned"])]
    run_id = record.publish_results(warehouse, "finetune", folder.name, started, seconds, rows)
    content = _page_content(facts, results, mistakes, data, folder) | {"verdict": verdict, "base_note": base_note}
    summary = _summary(run_id, verdict, facts, results, data) | compared
    report = page.write(folder, "finetune", content | compared, summary)
    return Tuned(folder, folder / "model", report, run_id, **results, facts=facts, verdict=verdict)


def _split(data: Labelled, settings: Settings) -> dict[str, list[Example]]:
    return stratified_split(
        data, fraction=settings.fraction, validation=settings.validation, test=settings.test, seed=settings.seed
    )


# --- Predictions ---


def _activation(task: Task) -> Literal["sigmoid", "softmax"]:
    return "sigmoid" if task == "emotions" else "softmax"


def _thresholds(facts: dict[str, Any], data: Labelled) -> list[float] | None:
    """The thresholds chosen on validation, in the order of the classes; None if each row has one class."""
    return [facts["thresholds"][name] for name in data.classes] if "thresholds" in facts else None


def _probabilities(model: TransformersClassifier, texts: Sequence[str], data: Labelled) -> np.ndarray:
    return project(model.probabilities(texts), model.labels, data)


def project(probabilities: np.ndarray, columns: Sequence[str], data: Labelled) -> np.ndarray:
    """A model's probabilities in the order of the data's classes, shape (rows, classes); columns of the same class are summed.

    For sentiment, classes that the data does not have are left out, and each row sums to 1 again.
    """
    ours = np.zeros((len(probabilities), len(data.classes)), dtype=np.float64)
    for column, name in enumerate(columns):
        if name in data.classes:
            ours[:, data.classes.index(name)] += probabilities[:, column]
    return figures.normalised(ours) if data.task == "sentiment" else ours


def _predict_base(settings: Settings, data: Labelled, texts: Sequence[str]) -> tuple[Predictions, str]:
    """(the untouched base's predictions, a note on the head it used): its own if it has one for this task, else the
    untrained one that training started from.
    """
    from transformers import AutoConfig

    thresholds = [0.5] * len(data.classes) if settings.task == "emotions" else None
    config = from_pretrained(AutoConfig, resolve(settings.model), settings.revision)
    trained = networks.head_classes(config, settings.task)
    if trained is not None and set(data.classes) <= set(trained):
        model = TransformersClassifier(settings.model, settings.revision, _activation(settings.task))
        columns, note = trained, "The base is judged by its own trained head."
    else:
        model = _untrained(settings, data)
        columns = list(data.classes)
        note = "The base has no head for this task: it is judged with the untrained head that training started from."
    return Predictions(project(model.probabilities(texts), columns, data), thresholds), note


def _untrained(settings: Settings, data: Labelled) -> TransformersClassifier:
    """The base with a new head, as it was before training."""
    network, tokenizer = networks.load(
        settings.model,
        settings.revision,
        task=settings.task,
        columns=data.classes,
        seed=settings.seed,
        quantize=settings.recipe["quantize"],
        lora=None,
    )
    network.config.review_insights = {"max_tokens": settings.recipe["max_tokens"]}
    return TransformersClassifier.of(network, tokenizer, settings.model, _activation(settings.task))


# --- Figures ---


def _evaluate(predictions: Predictions, rows: Sequence[Example], data: Labelled) -> dict[str, Any]:
    """`figures.quality` on these rows; for sentiment with `shift`, how scores differ between languages."""
    truth, languages = targets(rows, data), [row.language for row in rows]
    result = figures.quality(predictions.probabilities, truth, data.classes, languages, predictions.thresholds)
    if data.task == "sentiment":
        scores = figures.score(predictions.probabilities, data.classes)
        result["shift"] = figures.language_shift(scores, truth, languages)
    return result


def _calibrate(predictions: Predictions, rows: Sequence[Example], data: Labelled, folder: Path) -> dict[str, Any]:
    """A calibration fitted on these rows, also saved beside the model."""
    languages = [row.language for row in rows]
    fitted = calibration.fit(predictions.probabilities, targets(rows, data), languages)
    calibration.save(fitted, folder / "model" / "calibration.json")
    return fitted


def _calibrated(fitted: dict[str, Any], predictions: Predictions, rows: Sequence[Example]) -> Predictions:
    return Predictions(calibration.apply(fitted, predictions.probabilities, [row.language for row in rows]))


def _serve(
    model: TransformersClassifier,
    base: Predictions,
    tuned: Predictions,
    parts: Mapping[str, Sequence[Example]],
    data: Labelled,
    folder: Path,
    costs: Mapping[str, float] | None,
) -> dict[str, Any]:
    """What is fitted on the validation rows for the profile that the command offers, as facts: `calibrated`, where the model
    has all three classes, and `costs` (`costs.weigh` and its sentence), where some are given. Their files are saved.
    """
    rows, test = parts["validation"], parts["test"]
    validation = Predictions(_probabilities(model, [row.text for row in rows], data), tuned.thresholds)
    facts: dict[str, Any] = {}
    fitted = None
    served, served_test = validation, tuned
    if data.classes == SENTIMENTS:
        fitted = _calibrate(validation, rows, data, folder)
        served, served_test = _calibrated(fitted, validation, rows), _calibrated(fitted, tuned, test)
        result = _evaluate(served_test, test, data)
        facts["calibrated"] = {name: result[name] for name in ("ece", "accuracy", "macro_f1", "shift")}
    if costs:
        on_validation = served.probabilities, targets(rows, data)
        on_test = served_test.probabilities, targets(test, data)
        decided = {"base": base.decisions, "tuned": served_test.decisions}
        weighed = costing.weigh(costs, data.classes, on_validation, on_test, decided)
        facts["costs"] = weighed | {"sentence": costing.sentence(weighed)}
        if data.task == "sentiment":
            calibration.save(costing.as_calibration(fitted, weighed["thresholds"]), folder / COST_CALIBRATION)
    return facts


def _side_by_side(
    texts: Sequence[unseen.Text], base: Predictions, tuned: Predictions, data: Labelled, trained: Sequence[Example]
) -> list[unseen.Side]:
    by_base, by_tuned = ((_class_names(one.decisions, data), one.probabilities) for one in (base, tuned))
    return unseen.side_by_side(texts, by_base, by_tuned, trained)


def _verdict(base: Predictions, tuned: Predictions, truth: np.ndarray) -> str:
    """In words, whether the tuned model is right more often than its base."""
    return _gain(tuned, base, truth).told("The tuned model", "the base")


def _gain(model: Predictions, other: Predictions, truth: np.ndarray) -> Gain:
    """By paired bootstrap."""

    def correct(predictions: Predictions) -> np.ndarray:
        hits = predictions.decisions == truth
        return (hits.all(1) if truth.ndim == 2 else hits).astype(float)

    return Gain(*intervals.paired_bootstrap(correct(model), correct(other)), len(truth))


def _augmentation(gain: Gain, rows: dict[str, int]) -> str:
    """In words, what training on variants too has brought, and which model is offered therefore."""
    told = gain.told("The model trained on variants too", "the one trained without")
    offered = "so it is the one below" if gain.is_clear else "so the one trained without is the one below"
    return f"{told.removesuffix('.')}, {offered} ({rows['with']} rows to train on with variants, {rows['without']} without)."


# --- Mistakes ---


def _mistakes(rows: Sequence[Example], base: Predictions, tuned: Predictions, data: Labelled) -> list[Mistake]:
    """Test rows that the tuned model gets wrong, most confident first."""
    labels = _class_names(targets(rows, data), data)
    by_base, by_tuned = _class_names(base.decisions, data), _class_names(tuned.decisions, data)
    confidence = tuned.probabilities.max(1)
    wrong = [index for index in range(len(rows)) if by_tuned[index] != labels[index]]
    return [
        Mistake(
            text=rows[index].text,
            language=rows[index].language,
            label=labels[index],
            tuned=by_tuned[index],
            confidence=round(float(confidence[index]), 4),
            base=by_base[index],
            source=rows[index].source,
        )
        for index in sorted(wrong, key=lambda index: -confidence[index])
    ]


def _class_names(decisions: np.ndarray, data: Labelled) -> list[str]:
    """The class of each row, or its classes separated by commas."""
    if decisions.ndim == 1:
        return [data.classes[index] for index in decisions]
    return [", ".join(np.array(data.classes)[row == 1]) or "none" for row in decisions]


def _write_mistakes(path: Path, mistakes: Sequence[Mistake]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Mistake.__annotations__)
        writer.writerows([neutralise(value) for value in mistake.values()] for mistake in mistakes)


# --- Page ---


def _page_content(
    facts: dict[str, Any],
    results: dict[str, dict[str, Any]],
    mistakes: Sequence[Mistake],
    data: Labelled,
    folder: Path,
) -> dict[str, Any]:
    """What the templates show, besides the verdict and the note on the base."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in data.dropped.items()) or "none"
    shift = results["tuned"].get("shift")
    return {
        "facts": facts,
        "results": list(results.items()),
        "overall": OVERALL,
        "caution": figures.caution(shift) if shift else [],
        "costs": facts.get("costs"),
        "plots": _plots(facts, results, data),
        "wrong": mistakes[:SHOWN],
        "wrong_count": len(mistakes),
        "data_note": f"{data.rows} rows in, {len(data.examples)} kept, left out: {dropped}.",
        "usage": usage(facts, folder / "model"),
    }


def _summary(
    run_id: str, verdict: str, facts: dict[str, Any], results: dict[str, dict[str, Any]], data: Labelled
) -> dict[str, Any]:
    """The content of figures.json."""
    counts = {"dropped": data.dropped, "rows": data.rows}
    return {"run_id": run_id, "verdict": verdict, "training": facts, **results, **counts}


def _plots(facts: dict[str, Any], results: dict[str, dict[str, Any]], data: Labelled) -> dict[str, Any]:
    """SVG by name; `confusion` is a list of (role, SVG)."""
    curves = [
        (name.replace("_", " "), [(row["epoch"], row[name]) for row in facts["history"] if name in row])
        for name in ("train_loss", "validation_loss", "validation_macro_f1")
    ]
    shift, calibrated = results["tuned"].get("shift", {}), facts.get("calibrated", {}).get("shift", {})
    return {
        "confusion": [
            (role, charts.confusion(f"Confusion of the {role} model", data.classes, result["confusion"]))
            for role, result in results.items()
            if "confusion" in result
        ],
        "reliability": page.reliability(list(results.items())),
        "training": charts.curves("Training and validation, epoch by epoch", curves, "epoch"),
        "shift": page.shift_chart("Score against the other languages, rows of the same label", shift),
        "shift_calibrated": page.shift_chart("The same after per-language calibration", calibrated),
    }


def usage(facts: dict[str, Any], model: Path | str) -> str:
    """The TOML of a profile with this model as the pipeline's classifier."""
    lines = [
        'extends = "embedded"',
        "",
        f"[{facts['task']}]",
        'backend = "transformers"',
        f'model = "{model}"',
        f"languages = {json.dumps(facts['learned'])}   # those it learned; empty: judge every language",
    ]
    if "costs" in facts and facts["task"] == "emotions":
        chosen = ", ".join(f"{name} = {value}" for name, value in facts["costs"]["thresholds"].items())
        lines.append(f"thresholds = {{ {chosen} }}   # by the costs that were given")
    elif "costs" in facts:
        lines.append(
            f'calibration = "{Path(model).parent / COST_CALIBRATION}"   # with the thresholds of the costs that were given'
        )
    elif "calibrated" in facts:
        lines.append(f'calibration = "{model}/calibration.json"')
    return "\n".join(lines)
