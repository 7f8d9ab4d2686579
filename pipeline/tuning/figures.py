"""What is measured of a classifier on labelled rows: scikit-learn's metrics with bootstrapped intervals.

`probabilities` has shape (rows, classes). With one class per row (sentiment), `truth` holds class indices, shape (rows,).
With several (emotions), it holds 0 or 1, shape (rows, classes), and each class is decided by a threshold of its own;
accuracy then is the share of rows whose whole set is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.quality import intervals
from pipeline.quality.calibration import calibration_error, reliability
from pipeline.reader import calibration

_MIN_CELL = 5  # rows that a language and label need to count in a shift
_MIN_TEMPERED = 40  # rows, half of which fit a temperature
_FEW_ROWS = 20  # below which a language's figures are mostly chance; they are shown, and marked


def require_sklearn() -> None:
    """Raises InputError if scikit-learn is missing: before hours of training rather than after."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise InputError(
            "Comparing classifiers needs scikit-learn. Install it with: pip install 'review-insights[classifiers]'"
        ) from error


def decide(probabilities: np.ndarray, thresholds: Sequence[float] | None = None) -> np.ndarray:
    """Class indices; with `thresholds`, a 0/1 matrix of the classes that reach theirs."""
    return probabilities.argmax(1) if thresholds is None else (probabilities >= np.asarray(thresholds)).astype(int)


def normalised(weights: np.ndarray) -> np.ndarray:
    """`weights` with each row scaled to sum to 1; a row of zeros becomes uniform."""
    total = weights.sum(1, keepdims=True)
    return np.asarray(np.where(total > 0, weights / np.maximum(total, 1e-12), 1 / weights.shape[1]))


def quality(
    probabilities: np.ndarray,
    truth: np.ndarray,
    classes: Sequence[str],
    languages: Sequence[str] = (),
    thresholds: Sequence[float] | None = None,
) -> dict[str, Any]:
    """All figures of one model on these rows, JSON-serialisable; also per language if the rows' `languages` are given."""
    result = _figures(probabilities, truth, classes, thresholds)
    if len(languages):
        names = np.asarray(languages)
        result["languages"] = {}
        for name in sorted(set(languages)):
            of_language = names == name
            kept = ("n", "accuracy", "macro_f1", "macro_auc", "ece")
            subset = _figures(probabilities[of_language], truth[of_language], classes, thresholds)
            few = bool(of_language.sum() < _FEW_ROWS)
            guesses = not few and "confusion" in subset and is_guessing(np.array(subset["confusion"]))
            result["languages"][name] = {key: subset[key] for key in kept} | {"few": few, "guesses": guesses}
    return result


def tempered(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Calibration after a temperature (Guo et al. 2017), for models with one class per row: "temperature", "ece_tempered" and
    the bins "tempered".

    Two-fold: each half of the rows is judged at the temperature fitted on the other, and the one given is their geometric
    mean. None and no bins below _MIN_TEMPERED rows. The rows must be in no particular order.
    """
    if len(truth) < _MIN_TEMPERED:
        return {"temperature": None, "ece_tempered": None, "tempered": []}
    halves = (slice(0, None, 2), slice(1, None, 2))
    fitted = [calibration.temperature(probabilities[half], truth[half]) for half in halves]
    values = probabilities.copy()
    for half, temperature in zip(halves, reversed(fitted), strict=True):
        values[half] = calibration.tempered(probabilities[half], temperature)
    bins = reliability(values.max(1), values.argmax(1) == truth)
    mean = float(np.sqrt(fitted[0] * fitted[1]))
    return {"temperature": mean, "ece_tempered": calibration_error(bins), "tempered": bins}


def is_guessing(confusion: np.ndarray) -> bool:
    """Whether the classes' mean recall is not clearly (at 95 %) above a blind guess. `confusion`: a row per true class."""
    present = confusion.sum(1) > 0
    rows, hits = confusion.sum(1)[present], confusion.diagonal()[present]
    # A hit and a miss are added to each class; otherwise 3 right of 3 would count as certain.
    variance = (hits + 1) / (rows + 2) * (rows - hits + 1) / (rows + 2) / rows
    return bool((hits / rows).mean() - 1.96 * np.sqrt(variance.sum()) / len(rows) <= 1 / len(rows))


def learned(trained: Sequence[str], quality: Mapping[str, Any]) -> list[str]:
    """The languages that a model was `trained` on and in which its `quality` beats a blind guess. If there is none, all of
    them: a profile that names no language reads every language.
    """
    tested = quality.get("languages", {})
    return [name for name in trained if not tested.get(name, {}).get("guesses")] or list(trained)


def _figures(
    probabilities: np.ndarray, truth: np.ndarray, classes: Sequence[str], thresholds: Sequence[float] | None
) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    multilabel = truth.ndim == 2
    predicted = decide(probabilities, thresholds)
    labels = list(range(len(classes)))
    onehot = truth if multilabel else np.eye(len(classes), dtype=int)[truth]
    correct = (predicted == truth).all(1) if multilabel else predicted == truth
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    aucs = [auc(onehot[:, index], probabilities[:, index]) for index in labels]
    defined = [value for value in aucs if value is not None]
    # A class absent from these rows has no F1; counting it as 0 would blame the model for nothing.
    present = [index for index in labels if support[index]] or labels
    low, high = intervals.bootstrap_mean(correct.astype(float))
    result: dict[str, Any] = {
        "n": len(truth),
        "accuracy": float(correct.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_precision": float(precision[present].mean()),
        "macro_recall": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "macro_auc": float(np.mean(defined)) if defined else None,
        "classes": {
            name: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "auc": aucs[index],
                "n": int(support[index]),
            }
            for index, name in enumerate(classes)
        },
    }
    if multilabel:
        _, _, micro, _ = precision_recall_fscore_support(truth, predicted, average="micro", zero_division=0)
        result["micro_f1"] = float(micro)
        result["bins"] = reliability(probabilities.ravel(), truth.ravel() == 1)
    else:
        result["confusion"] = confusion_matrix(truth, predicted, labels=labels).tolist()
        result["bins"] = reliability(probabilities.max(1), correct)
        result["macro_f1_low"], result["macro_f1_high"] = _macro_f1_interval(np.array(result["confusion"]))
    result["ece"] = calibration_error(result["bins"])
    return result


def auc(truth: np.ndarray, score: np.ndarray) -> float | None:
    """Area under the ROC curve of one class against the rest; None if only one side is present."""
    from sklearn.metrics import roc_auc_score

    if truth.min(initial=1) == truth.max(initial=0):
        return None
    return float(roc_auc_score(truth, score))


def _macro_f1_interval(confusion: np.ndarray, resamples: int = 2000) -> tuple[float | None, float | None]:
    """95 % bootstrap interval. Resampling rows is drawing the cells of the confusion matrix from a multinomial."""
    total = int(confusion.sum())
    if total < 2:
        return None, None
    drawn = np.random.default_rng(intervals.SEED).multinomial(total, confusion.ravel() / total, size=resamples)
    tables = drawn.reshape(resamples, *confusion.shape)
    hits = np.diagonal(tables, axis1=1, axis2=2)
    both = tables.sum(1) + tables.sum(2)
    present = confusion.sum(1) > 0
    f1 = (2 * hits / np.maximum(both, 1))[:, present].mean(1)
    low, high = np.quantile(f1, (0.025, 0.975))
    return float(low), float(high)


def score(probabilities: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Sentiment score of each row, shape (rows,): positive minus negative probability, -1 to 1."""
    return np.asarray(
        probabilities[:, list(classes).index("positive")] - probabilities[:, list(classes).index("negative")]
    )


def language_shift(
    scores: np.ndarray, truth: np.ndarray, languages: Sequence[str], resamples: int = 1000
) -> dict[str, dict[str, Any]]:
    """How much higher or lower a model scores a language than the others on comparable rows (those with the same label).

    For each label, the language's mean score minus the mean of the other languages' means, averaged over the labels for
    which both have enough rows. {language: {"n", "shift", "low", "high"}} with a 95 % bootstrap interval; None for the
    last three if nothing is comparable.
    """
    names, rng = np.asarray(languages), np.random.default_rng(intervals.SEED)
    cells = {
        (language, label): scores[(names == language) & (truth == label)]
        for language in sorted(set(languages))
        for label in sorted(set(truth.tolist()))
    }
    means = {key: _resampled(values, rng, resamples) for key, values in cells.items() if len(values) >= _MIN_CELL}
    result = {}
    for language in sorted(set(languages)):
        differences = []
        for label in sorted(set(truth.tolist())):
            others = [mean for (other, at), mean in means.items() if at == label and other != language]
            if (language, label) in means and others:
                differences.append(means[language, label] - np.mean(others, axis=0))
        drawn = np.mean(differences, axis=0) if differences else None
        result[language] = {
            "n": int((names == language).sum()),
            "shift": None if drawn is None else float(drawn[0]),  # column 0: the rows as they are
            "low": None if drawn is None else float(np.quantile(drawn[1:], 0.025)),
            "high": None if drawn is None else float(np.quantile(drawn[1:], 0.975)),
        }
    return result


def _resampled(values: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """The mean, then the means of `resamples` bootstrap samples."""
    drawn = values[rng.integers(0, len(values), size=(resamples, len(values)))].mean(1)
    return np.concatenate([[values.mean()], drawn])


def guessing_note(quality: Mapping[str, Any]) -> str:
    """In plain words, what to do about languages in which a model only guesses; empty if there are none."""
    names = [name for name, result in quality.get("languages", {}).items() if result["guesses"]]
    if not names:
        return ""
    return (
        f"In {', '.join(names)} the tuned model is not clearly better than a blind guess; do not use it there. "
        "Look at the labels of these rows, add rows, or take a model that knows the language."
    )


def caution(shifts: dict[str, dict[str, Any]]) -> list[str]:
    """In plain words, what must not be read into differences between languages. `shifts`: of `language_shift`."""
    significant = {
        name: item for name, item in shifts.items() if item["shift"] is not None and item["low"] * item["high"] > 0
    }
    if sum(item["shift"] is not None for item in shifts.values()) < 2:
        return ["Only one language has rows to compare: nothing can be said about differences between languages."]
    if not significant:
        return ["On rows with the same label no language is scored clearly higher or lower than the others here."]
    lines = []
    for name, item in sorted(significant.items(), key=lambda pair: -abs(pair[1]["shift"])):
        word = "higher" if item["shift"] > 0 else "lower"
        lines.append(
            f"Rows in {name} are scored {abs(item['shift']):.2f} {word} than rows of the other languages with the same label "
            f"({item['low']:+.2f} to {item['high']:+.2f})."
        )
    largest = max(abs(item["shift"]) for item in significant.values())
    lines.append(
        f"So a difference of up to about {largest:.2f} between the average scores of two languages can be the model's alone. "
        "Do not act on it as if customers of one language were less content: compare stars, or use the calibrated scores."
    )
    return lines
