"""What the reader finds against what people found, on texts that it was not trained on.

Besides the development reviews (of the files that it was trained on), it is measured on files whose licence only allows
that: other shops, apps, hotels and languages. Figures on those say more.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import f1_score

from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.rows import Reading
from pipeline.reader.reading import Reader
from pipeline.text.repair import repair
from pipeline.training.reader import corpora
from pipeline.training.reader.corpora import csv_rows, json_lines
from pipeline.training.reader.examples import Example, Target, emotions


class Counts(NamedTuple):
    """True and false positives and false negatives."""

    tp: int
    fp: int
    fn: int

    def figures(self) -> dict[str, float]:
        """F1, precision, recall and n, the number of true items."""
        return {
            "f1": round(2 * self.tp / max(1, 2 * self.tp + self.fp + self.fn), 3),
            "precision": round(self.tp / max(1, self.tp + self.fp), 3),
            "recall": round(self.tp / max(1, self.tp + self.fn), 3),
            "n": self.tp + self.fn,
        }


def count(found: Iterable[set[Any]], truth: Iterable[set[Any]]) -> Counts:
    """Items over all reviews."""
    pairs = list(zip(found, truth, strict=True))
    return Counts(
        sum(len(a & b) for a, b in pairs), sum(len(a - b) for a, b in pairs), sum(len(b - a) for a, b in pairs)
    )


def complaints(example: Example) -> set[str]:
    """The themes that a labelled review complains about. An overall verdict is none."""
    return {m.themes[0] for m in example.mentions if m.polarity == 0} - {"general"}


# --- sentiment of files in many languages, for evaluation only ---


# file, column of the text, column of the label, language
_POLAR = (
    ("multi/amazon_it/amazon_it.csv", "text", "stars", "it"),
    ("multi/apps_shops_fr/apps_shops_fr.csv", "text", "stars", "fr"),
    ("multi/play_apps_ko/play_apps_ko.csv", "text", "stars", "ko"),
    ("multi/olist_pt/olist_pt.csv", "text", "stars", "pt"),
    ("multi/books_pt/books_pt.csv", "text", "sentiment", "pt"),
    ("multi/products_tr/products_tr.csv", "text", "sentiment", "tr"),
    ("multi/laroseda_ro/laroseda_ro.csv", "text", "stars", "ro"),
    ("multi/reviews_ar/reviews_ar.csv", "text", "sentiment", "ar"),
    ("multi/hotel_sentences_ja/hotel_sentences_ja.csv", "text", "sentiment", "ja"),
    ("multi/trustpilot_insurer_de/trustpilot_insurer_de.csv", "text", "stars", "de"),
    ("multi/books_nl_fr_de/nl.csv", "text", "sentiment", "nl"),
    ("multi/books_nl_fr_de/fr.csv", "text", "sentiment", "fr"),
    ("multi/books_nl_fr_de/de.csv", "text", "sentiment", "de"),
    ("multi/amazon_hi/amazon_hi.csv", "text", "stars", "hi"),
    ("multi/filmweb_pl/filmweb_pl.csv", "text", "rating10", "pl"),
    ("multilingual/amazon_ja.csv", "text", "label", "ja"),
    ("multilingual/amazon_zh.csv", "text", "label", "zh"),
    ("multilingual/allocine_fr.csv", "texte", "note", "fr"),
    ("replies/app_greenlight.csv", "content", "score", "en"),
)
_JSON_LINES = (
    ("multi/visfd_vi/visfd_vi.jsonl", "vi"),
    ("multi/csrest_m_cs/csrest_m_cs.jsonl", "cs"),
    ("multi/parsinlu_food_fa/parsinlu_food_fa.jsonl", "fa"),
    ("multi/structured_es_ca_eu_no_en/ca.jsonl", "ca"),
    ("multi/structured_es_ca_eu_no_en/es.jsonl", "es"),
    ("multi/structured_es_ca_eu_no_en/eu.jsonl", "eu"),
    ("multi/structured_es_ca_eu_no_en/no.jsonl", "no"),
)
_PLAIN = {"1": 0, "2": 0, "5": 2, "negative": 0, "positive": 2, "0.5": 0}


def polar(data: Path, most: int = 100) -> Iterator[Example]:
    """Reviews that are plainly good or bad by their stars or labels, at most `most` of each file and class."""
    for name, text, label, language in _POLAR:
        tens = label == "rating10"
        taken: Counter[int] = Counter()
        for row in _present(data / name, csv_rows):
            mark = (row[label] or "").strip().lower().removesuffix(".0")
            value = ({"1": 0, "2": 0, "3": 0, "9": 2, "10": 2} if tens else _PLAIN).get(mark)
            yield from _taken(row[text], value, language, name, taken, most)
    for name, language in _JSON_LINES:
        taken = Counter()
        for content in _present(data / name, json_lines):
            said = {polarity for *_, polarity in content["aspects"]}
            value = {("positive",): 2, ("negative",): 0}.get(tuple(said))
            yield from _taken(content["text"], value, language, name, taken, most)


def _present(path: Path, read: Callable[[Path], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """The rows of a file, none if it is missing: whoever has fewer of these files measures on fewer."""
    return read(path) if path.is_file() else iter(())


def _taken(
    text: str, value: int | None, language: str, source: str, taken: Counter[int], most: int
) -> Iterator[Example]:
    body = repair(text or "")
    if value is not None and len(body) > 12 and taken[value] < most:
        taken[value] += 1
        yield Example(body, language, source, sentiment=value)


def comments_de(data: Path, most: int = 1500) -> Iterator[Example]:
    """GoEmotions in German (machine translated), which no training sees."""
    for row in itertools.islice(_present(data / "multi" / "goemotions_de" / "goemotions_de.csv", csv_rows), most):
        yield Example(row["text"], "de", "goemotions_de", emotions=emotions(row["emotions"].split("|")))


def semeval(data: Path) -> Iterator[Example]:
    """The training files of SemEval-2014, task 4."""
    for name in ("Restaurants", "Laptops"):
        lines = (data / "absa" / f"{name}_Train.xml.seg").read_text(encoding="utf-8").splitlines()
        for at in range(0, len(lines) - 2, 3):
            before, _, after = lines[at].partition("$T$")
            text = before + lines[at + 1] + after
            target = Target(len(before), len(before) + len(lines[at + 1]), int(lines[at + 2]) + 1)
            yield Example(text, "en", f"semeval/{name}", sentences=((0, len(text)),), targets=(target,))


# --- figures ---


def by_source(rows: Sequence[Example], right: Sequence[bool]) -> dict[str, Any]:
    """Share that is right, per source, with the number of rows."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for row, value in zip(rows, right, strict=True):
        groups[f"{row.source} ({row.language})"].append(value)
    return {name: [round(float(np.mean(values)), 3), len(values)] for name, values in sorted(groups.items())}


def polar_accuracy(readings: Sequence[Reading], rows: Sequence[Example]) -> list[bool]:
    """Whether positive is more probable than negative where it should be."""
    return [
        (reading["sentiment"][2] > reading["sentiment"][0]) == (row.sentiment == 2)
        for reading, row in zip(readings, rows, strict=True)
    ]


def classes(readings: Sequence[Reading], rows: Sequence[Example]) -> dict[str, Any]:
    """Macro-F1 of three classes per source, and its mean."""
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for reading, row in zip(readings, rows, strict=True):
        groups[row.source].append((row.sentiment, int(np.argmax(reading["sentiment"]))))
    scores = {
        name: f1_score(*zip(*pairs, strict=True), average="macro", labels=range(len(SENTIMENTS)))
        for name, pairs in sorted(groups.items())
    }
    return {name: round(value, 3) for name, value in scores.items()} | {
        "mean": round(float(np.mean(list(scores.values()))), 3)
    }


def _f1(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    return {
        average: round(f1_score(truth, found, average=average, zero_division=0.0), 4) for average in ("macro", "micro")
    }


def _ekman(labels: np.ndarray) -> np.ndarray:
    """(rows, 28) labels as Ekman's six emotions, (rows, 6): what corpora of other languages have in common."""
    columns = [[EMOTIONS.index(name) for name in group] for group in corpora.EKMAN.values()]
    return np.stack([labels[:, of_group].any(1) for of_group in columns], 1)


def tune(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Per label the threshold with the best F1, averaged over neighbours on the grid so that it is no accident."""
    grid = np.arange(0.05, 0.95, 0.01)
    chosen = []
    for column in range(truth.shape[1]):
        scores = np.array([f1_score(truth[:, column], probabilities[:, column] >= t, zero_division=0.0) for t in grid])
        smooth = np.convolve(scores, np.ones(9) / 9, mode="same")
        chosen.append(grid[int(smooth.argmax())])
    return np.array(chosen)


def target_accuracy(reader: Reader, rows: Sequence[Example]) -> dict[str, float]:
    """Accuracy of the sentiment towards targets, per source."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for row, values in zip(
        rows, reader.towards([(row.text, [(t.start, t.end) for t in row.targets]) for row in rows]), strict=True
    ):
        groups[row.source] += [
            int(value.argmax()) == target.polarity for value, target in zip(values, row.targets, strict=True)
        ]
    return {name: round(float(np.mean(values)), 4) for name, values in groups.items()}


def main(reader: Reader, data: Path, plain: Sequence[tuple[Example, Reading]]) -> dict[str, Any]:
    """All figures that need no thresholds. `plain`: the rows of `polar`, read."""
    report: dict[str, Any] = {}
    rows = [row for row, _ in plain]
    right = polar_accuracy([reading for _, reading in plain], rows)
    report["polar"] = {"all": round(float(np.mean(right)), 3)} | by_source(rows, right)
    rows = list(corpora.tweets(data, "val"))
    report["tweets"] = classes(reader.read([row.text for row in rows]), rows)
    rows = list(corpora.comments(data, "dev"))
    truth = np.array([[present for _, present in row.emotions] for row in rows])
    probabilities = reader.comments([row.text for row in rows])
    thresholds = tune(probabilities, truth)
    found = probabilities >= thresholds
    report["goemotions dev"] = _f1(truth, found) | {"ekman macro": _f1(_ekman(truth), _ekman(found))["macro"]}
    elsewhere = list(comments_de(data))
    if elsewhere:
        truth = np.array([[present for _, present in row.emotions] for row in elsewhere])
        found = reader.comments([row.text for row in elsewhere]) >= thresholds
        report["goemotions in German, thresholds of the English"] = _f1(truth, found) | {
            "ekman macro": _f1(_ekman(truth), _ekman(found))["macro"]
        }
    report["targets"] = target_accuracy(reader, [*corpora.targets(data, "val"), *semeval(data)])
    return report
