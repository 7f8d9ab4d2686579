"""Fits the numbers by which readings become decisions, on labelled reviews that the training did not see.

Half of these choose, the other half measure, and the other way round; the numbers that ship are chosen on all of them.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from pipeline.core.labels import EMOTIONS
from pipeline.core.rows import Reading
from pipeline.reader import calibration, decide
from pipeline.reader.decide import ANY
from pipeline.training.reader.evaluate import Counts, complaints, count
from pipeline.training.reader.examples import UNKNOWN, Example

PRECISION = 0.75  # wanted of complaints
PRECISION_ELSEWHERE = 0.65  # and in each language that only files for evaluation show
POLAR = 0.9  # wanted of words that are given a label, in each language
PRIOR = 0.35  # how much a source's own share of a theme counts, in logits
_LEAST_REVIEWS = 25  # with a label, before it gets a threshold of its own
_STEADY = 3  # thresholds in a row that must do, so that it is no accident
_LEAST_COMPLAINTS = 10  # of a theme whose figures are given
_OWN = 0.4  # scale of a theme's own bias in the regression: below 1 draws it towards none

Rows = Sequence[tuple[Example, Reading]]
Places = Mapping[str, Mapping[str, float]]  # source -> theme -> share


def fit(rows: Rows, polar: Rows, elsewhere: Rows, places: Places, usual: Mapping[str, float]) -> dict[str, Any]:
    """The rules for `reader.json`. `polar`: reviews in many languages that are plainly good or bad, and `elsewhere`: labelled
    ones of other files; both only raise the caution in their languages. `places`: each source's shares of themes, `usual`:
    those of all.
    """
    found: dict[str, Any] = {"shares": {theme: round(share, 5) for theme, share in usual.items()}, "prior": PRIOR}
    found |= _sentiment(rows)
    found["sure"] = _sure(polar, found)
    found["emotions"] = _emotions(rows)
    found |= _complaints(rows, places, usual)
    found |= _mentions(rows, places, found)
    found["least"] = _caution(rows, elsewhere, found)
    return found


def halves(rows: Rows) -> tuple[list[tuple[Example, Reading]], list[tuple[Example, Reading]]]:
    """Two halves, by a hash of the text."""
    first = [row for row in rows if hashlib.sha256(row[0].text.encode()).digest()[0] % 2]
    second = [row for row in rows if not hashlib.sha256(row[0].text.encode()).digest()[0] % 2]
    return first, second


# --- sentiment ---


def _sentiment(rows: Rows) -> dict[str, Any]:
    labelled = [(example, reading) for example, reading in rows if example.sentiment != UNKNOWN]
    raw = np.array([reading["sentiment"] for _, reading in labelled], dtype=np.float32)
    truth = np.array([example.sentiment for example, _ in labelled])
    fitted = calibration.fit(raw, truth, ["en"] * len(raw))["languages"][calibration.COMMON]
    plain = {"temperature": fitted["temperature"], "bias": fitted["bias"]}
    words = decide.words(raw, _only(plain))
    starred = [i for i, (example, _) in enumerate(labelled) if example.stars]
    stars = {str(n): (0.0, 0.0, 0.0) for n in range(1, 6)}
    if starred:
        # Evidence of the stars beside the words: logits added to each class, ridge-regularised towards none.
        import torch

        logits = torch.tensor(np.log(np.maximum(words[starred], 1e-4)))
        which = torch.tensor([labelled[i][0].stars[0] - 1 for i in starred])
        target = torch.tensor(truth[starred])
        added = torch.zeros(5, 3, dtype=logits.dtype, requires_grad=True)
        optimiser = torch.optim.LBFGS([added], max_iter=100, line_search_fn="strong_wolfe")

        def loss() -> Any:
            optimiser.zero_grad()
            value = torch.nn.functional.cross_entropy(logits + added[which], target, reduction="sum")
            value = value + added.square().sum()
            value.backward()
            return value

        optimiser.step(loss)
        values = (added - added.mean(1, keepdim=True)).detach().tolist()
        stars = {str(n + 1): tuple(round(v, 3) for v in row) for n, row in enumerate(values)}
    return {**plain, "stars": stars}


def _only(content: Mapping[str, Any]) -> decide.Rules:
    """Rules that hold nothing but a temperature and a bias."""
    empty: dict[str, Any] = {key: {} for key in ("stars", "sure", "emotions", "complaint", "least", "themes", "shares")}
    return decide.rules({**empty, "praise": 0.5, "mention": 0.5, "prior": 0.0, **content})


def _sure(polar: Rows, content: Mapping[str, Any]) -> dict[str, float]:
    """Per language the least probability with which words are right in POLAR of the cases where they take sides."""
    languages = sorted({example.language for example, _ in polar})
    of = _only({"temperature": content["temperature"], "bias": content["bias"]})
    chosen = {}
    for language in languages:
        group = [(example, reading) for example, reading in polar if example.language == language]
        words = decide.words(np.array([reading["sentiment"] for _, reading in group]), of)
        sides = words.argmax(1) != 1
        right = words.argmax(1) == np.array([example.sentiment for example, _ in group])
        best = words.max(1)
        grid = [t for t in np.arange(0.34, 0.96, 0.02) if (sides & (best >= t)).sum() >= 20]
        chosen[language] = next((round(float(t), 2) for t in grid if right[sides & (best >= t)].mean() >= POLAR), 0.97)
    # A language that was not measured is read with the caution of the worst third of those that were.
    chosen[ANY] = round(float(np.quantile(list(chosen.values()) or [0.6], 0.67)), 2)
    return chosen


# --- emotions ---


def _emotions(rows: Rows) -> dict[str, float]:
    truth = np.array([[present for _, present in example.emotions] for example, _ in rows])
    values = np.array([reading["emotions"] for _, reading in rows])
    grid = np.arange(0.1, 0.8, 0.02)

    def f1(chosen: np.ndarray, columns: Any = slice(None)) -> float:
        found = (values >= chosen)[:, columns]
        right = (found & truth[:, columns]).sum()
        return float(2 * right / max(1, found.sum() + truth[:, columns].sum()))

    common = max(grid, key=lambda t: f1(np.full(len(EMOTIONS), t)))
    thresholds = np.full(len(EMOTIONS), common)
    for column in range(len(EMOTIONS)):
        if truth[:, column].sum() >= _LEAST_REVIEWS:
            own = max(grid, key=lambda t: f1(np.full(len(EMOTIONS), t), [column]))
            thresholds[column] = (own + common) / 2
    return {label: round(float(value), 3) for label, value in zip(EMOTIONS, thresholds, strict=True)}


# --- themes ---


def _candidates(rows: Rows, places: Places, usual: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Every theme that a review may complain of: features (strength, stars), truth, theme."""
    of = _only({"temperature": 1.0, "bias": (0.0, 0.0, 0.0), "shares": usual, "prior": PRIOR})
    features, truth, themes = [], [], []
    for example, reading in rows:
        true = complaints(example)
        stars = 3.0 - example.stars[0] if example.stars else 0.0
        shares = places.get(example.source, {})
        best: dict[str, float] = {}
        for sentence in reading["sentences"]:
            for theme in sentence["themes"]:
                name = theme["theme"]
                if name != "general":
                    best[name] = max(best.get(name, -math.inf), decide.strength(theme, shares.get(name), of))
        for name, strength in best.items():
            features.append((strength, stars))
            truth.append(name in true)
            themes.append(name)
    return np.array(features), np.array(truth), themes


def _complaints(rows: Rows, places: Places, usual: Mapping[str, float]) -> dict[str, Any]:
    features, truth, themes = _candidates(rows, places, usual)
    names = sorted(
        {theme for theme, n in Counter(t for t, y in zip(themes, truth, strict=True) if y).items() if n >= 8}
    )
    own = _OWN * np.array([[theme == name for name in names] for theme in themes], dtype=float).reshape(len(themes), -1)
    model = LogisticRegression(C=1.0, max_iter=2000).fit(np.hstack([features, own]), truth)
    weights = model.coef_[0]
    content: dict[str, Any] = {
        "complaint": {
            "bias": round(float(model.intercept_[0]), 4),
            "strength": round(float(weights[0]), 4),
            "stars": round(float(weights[1]), 4),
        },
        "themes": {name: round(float(_OWN * weight), 3) for name, weight in zip(names, weights[2:], strict=True)},
    }
    content["least"] = {ANY: _threshold(model.predict_proba(np.hstack([features, own]))[:, 1], truth, rows)}
    return content


def _threshold(probabilities: np.ndarray, truth: np.ndarray, rows: Rows) -> float:
    """The least probability at which complaints are as precise as wanted, and the one with the best F1 if that is higher."""
    total = sum(len(complaints(example)) for example, _ in rows)

    def figures(t: float) -> tuple[float, float]:
        found = probabilities >= t
        counts = Counts(int((found & truth).sum()), int((found & ~truth).sum()), total - int((found & truth).sum()))
        measured = counts.figures()
        return measured["f1"], measured["precision"]

    grid = np.arange(0.2, 0.8, 0.01)
    best = max(grid, key=lambda t: figures(t)[0])
    precise = next((t for t in grid if figures(t)[1] >= PRECISION), grid[-1])
    return round(float(max(best, precise)), 2)


def _caution(rows: Rows, elsewhere: Rows, content: Mapping[str, Any]) -> dict[str, float]:
    """The least probability of a complaint per language: the common one in those of `rows`, and in others the one from which on
    complaints are precise enough.
    """
    common = content["least"][ANY]
    chosen = {example.language: common for example, _ in rows}
    of = decide.rules(content)
    for language in sorted({example.language for example, _ in elsewhere} - chosen.keys()):
        group = [(example, reading) for example, reading in elsewhere if example.language == language]
        best = [_best(example, reading, {}, of) for example, reading in group]
        truth = [complaints(example) for example, _ in group]

        def precision(t: float, best: Any = best, truth: Any = truth) -> float:
            found = [{theme for theme, p in one.items() if p >= t} for one in best]
            return count(found, truth).figures()["precision"] if sum(map(len, found)) >= 10 else 0.0

        grid = np.arange(0.2, 0.95, 0.02)
        precise = np.array([precision(t) for t in grid])
        steady = [t for at, t in enumerate(grid) if precise[at : at + _STEADY].min() >= PRECISION_ELSEWHERE]
        chosen[language] = round(float(steady[0] if steady else grid[precise.argmax()]), 2)
    others = [value for language, value in chosen.items() if language not in {e.language for e, _ in rows}]
    return {**chosen, ANY: round(float(np.median([common, *others])), 2)}


def _best(example: Example, reading: Reading, shares: Mapping[str, float], of: decide.Rules) -> dict[str, float]:
    """Per theme the probability that the review complains of it, given its source's `shares`."""
    stars = float(example.stars[0]) if example.stars else None
    best: dict[str, float] = {}
    for sentence in reading["sentences"]:
        for theme in sentence["themes"]:
            if theme["theme"] != "general":
                probability = decide.complaint(theme, stars, shares.get(theme["theme"]), of)
                best[theme["theme"]] = max(probability, best.get(theme["theme"], 0.0))
    return best


def _mentions(rows: Rows, places: Places, content: Mapping[str, Any]) -> dict[str, float]:
    """Thresholds of praise and of neutral mentions: the best F1 of praise."""

    def score(praise: float) -> float:
        of = decide.rules({**content, "praise": praise, "mention": 0.5})
        found = [
            {m.theme for m in _decided(example, reading, places, of) if m.sentiment == "positive"} - {"general"}
            for example, reading in rows
        ]
        truth = [{m.themes[0] for m in example.mentions if m.polarity == 2} - {"general"} for example, _ in rows]
        return count(found, truth).figures()["f1"]

    best = max(np.arange(0.2, 0.75, 0.05), key=score)
    return {"praise": round(float(best), 2), "mention": round(float(max(best, 0.45)), 2)}


def _decided(example: Example, reading: Reading, places: Places, of: decide.Rules) -> list[decide.Mention]:
    return decide.mentions(
        reading["sentences"],
        stars=float(example.stars[0]) if example.stars else None,
        language=example.language,
        shares=places.get(example.source, {}),
        of=of,
    )


# --- measured ---


def measure(rows: Rows, places: Places, content: Mapping[str, Any]) -> dict[str, Any]:
    """What the rules decide against what people found: complaints, praise, sentiment, emotions."""
    of = decide.rules(content)
    decided = [_decided(example, reading, places, of) for example, reading in rows]
    found = [{m.theme for m in one if m.sentiment == "negative"} - {"general"} for one in decided]
    report: dict[str, Any] = {"complaints": count(found, [complaints(example) for example, _ in rows]).figures()}
    for name, of_row in (("source", lambda e: e.source), ("language", lambda e: e.language)):
        groups: dict[str, list[int]] = {}
        for index, (example, _) in enumerate(rows):
            groups.setdefault(of_row(example), []).append(index)
        report[name] = {
            key: count([found[i] for i in at], [complaints(rows[i][0]) for i in at]).figures()
            for key, at in sorted(groups.items())
        }
    true = [complaints(example) for example, _ in rows]
    report["theme"] = {
        theme: count([one & {theme} for one in found], [one & {theme} for one in true]).figures()
        for theme, n in sorted(Counter(theme for one in true for theme in one).items())
        if n >= _LEAST_COMPLAINTS
    }
    words = decide.words(np.array([reading["sentiment"] for _, reading in rows]), of)
    both = decide.with_stars(words, [float(e.stars[0]) if e.stars else None for e, _ in rows], of)
    truth = np.array([example.sentiment for example, _ in rows])
    polar = np.array([example.extra.get("sentiment") in ("negative", "positive") for example, _ in rows])
    report["sentiment"] = {
        "words": round(float((words.argmax(1) == truth).mean()), 3),
        "words polar": round(float(((words[:, 2] > words[:, 0]) == (truth == 2))[polar].mean()), 3),
        "with stars": round(float((both.argmax(1) == truth).mean()), 3),
        "with stars polar": round(float(((both[:, 2] > both[:, 0]) == (truth == 2))[polar].mean()), 3),
    }
    report["calibration error"] = {"sentiment": _ece(words, truth), **_calibration(rows, places, of)}
    labels = [
        decide.emotions(dict(zip(EMOTIONS, reading["emotions"], strict=True)), of.emotions) for _, reading in rows
    ]
    wanted = [[group[0] for group, present in example.emotions if present] for example, _ in rows]
    report["emotions"] = count(map(set, labels), map(set, wanted)).figures() | {
        "judged": round(float(np.mean([bool(one) for one in labels])), 3)
    }
    return report


def _calibration(rows: Rows, places: Places, of: decide.Rules) -> dict[str, float]:
    """Expected calibration error of stars, of each emotion's presence, and of complaints."""
    starred = [(example.stars[0] - 1, reading["stars"]) for example, reading in rows if example.stars]
    found = {}
    if starred:
        found["stars"] = _ece(np.array([values for _, values in starred]), np.array([star for star, _ in starred]))
    felt = np.array([reading["emotions"] for _, reading in rows]).ravel()
    present = np.array([[is_present for _, is_present in example.emotions] for example, _ in rows]).ravel()
    found["emotions"] = _binary_ece(felt, present)
    probabilities, true = [], []
    for example, reading in rows:
        for name, probability in _best(example, reading, places.get(example.source, {}), of).items():
            probabilities.append(probability)
            true.append(name in complaints(example))
    found["complaints"] = _binary_ece(np.array(probabilities), np.array(true))
    return found


def _ece(probabilities: np.ndarray, truth: np.ndarray) -> float:
    from pipeline.quality.calibration import calibration_error, reliability

    right = probabilities.argmax(1) == truth
    return round(float(calibration_error(reliability(probabilities.max(1), right, 10))), 3)


def _binary_ece(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return _ece(np.stack([1 - probabilities, probabilities], 1), truth.astype(int))
