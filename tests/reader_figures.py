"""The tables of the reader's figures in the documentation, made from the `figures.json` of the weights that ship.

Renew them: python -m tests.reader_figures
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.core.assets import READER
from tests.conftest import ROOT

BEGIN = "<!-- begin: made from pipeline/models/reader/figures.json by python -m tests.reader_figures -->\n"
END = "<!-- end of figures -->\n"
UNSEEN = {
    "apps_shops_fr": "French shops and apps",
    "amazon_it": "Italian products",
    "hotel_sentences_ja": "Japanese hotels, single sentences",
    "olist_pt": "Portuguese shops",
    "play_apps_ko": "Korean apps",
    "products_tr": "Turkish products",
    "es": "Spanish hotels, single sentences",
    "trustpilot_insurer_de": "a German insurer",
}
Figures = Mapping[str, Any]


def figures() -> dict[str, Any]:
    """Those of the shipped reader."""
    found: dict[str, Any] = json.loads((READER / "figures.json").read_text(encoding="utf-8"))
    return found


def pooled(halves: Iterable[Figures]) -> dict[str, float]:
    """Counts of both halves, each measured with rules from the other, put together."""
    true = found = right = 0.0
    for half in halves:
        hits = half["recall"] * half["n"]
        right, true = right + hits, true + half["n"]
        found += hits / half["precision"] if half["precision"] else 0.0
    precision, recall = right / max(1.0, found), right / max(1.0, true)
    return {"precision": precision, "recall": recall, "f1": 2 * right / max(1.0, found + true), "n": true}


def of_complaints(content: Figures) -> str:
    """How true and how complete complaints are."""
    unseen = content["files that no training saw"]
    crossed = content["files that no training saw, caution chosen on the other half"]
    rows = [
        (
            "of files that were trained on, held out (rules fitted on the other half)",
            pooled(half["complaints"] for half in content["development, chosen on the other half"]),
        ),
        (
            "of files that no training saw (caution chosen on the other half): all",
            pooled(half["complaints"] for half in crossed),
        ),
    ]
    for source in unseen["source"]:
        name = source.rsplit("/", 1)[1].split(".")[0]
        rows.append(
            (UNSEEN.get(name, name), pooled(half["source"][source] for half in crossed if source in half["source"]))
        )
    lines = ["| reviews | n | precision | recall | F1 |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {name} | {v['n']:.0f} | {v['precision']:.2f} | {v['recall']:.2f} | {v['f1']:.2f} |" for name, v in rows
    ]
    return "\n".join([*lines, "| two people who read the same 229 reviews | | | | 0.84 |"])


def of_polarity(content: Figures) -> str:
    """Whether words are good or bad, per language."""
    languages: dict[str, list[tuple[str, float, int]]] = {}
    for name, value in content["polar"].items():
        if match := re.fullmatch(r".*/([^/. ]+)\.\S+ \((\w+)\)", name):
            languages.setdefault(match[2], []).append((match[1], *value))
    lines = ["| language | accuracy | files |", "|---|--:|---|"]
    for language, files in sorted(languages.items()):
        mean = sum(share * n for _, share, n in files) / sum(n for *_, n in files)
        lines.append(f"| {language} | {mean:.2f} | {', '.join(f'{name} {share:.2f}' for name, share, _ in files)} |")
    total = sum(n for files in languages.values() for *_, n in files)
    return "\n".join([*lines, f"| all | {content['polar']['all']:.2f} | {total:,} texts |"])


def of_the_rest(content: Figures) -> str:
    """Sentiment, calibration, emotions, targets."""
    unseen, halves = content["files that no training saw"], content["development, chosen on the other half"]
    error, targets, comments = unseen["calibration error"], content["targets"], content["goemotions dev"]
    german = content["goemotions in German, thresholds of the English"]
    held_out = {
        key: sum(half["sentiment"][key] for half in halves) / len(halves)
        for key in ("words", "with stars", "words polar")
    }
    felt = sum(half["emotions"]["f1"] for half in halves) / len(halves)
    rows = [
        (
            "sentiment, three classes, held out; other files: words",
            f"{held_out['words']:.2f}; {unseen['sentiment']['words']:.2f}",
            "",
        ),
        ("the same, words and stars", f"{held_out['with stars']:.2f}; {unseen['sentiment']['with stars']:.2f}", ""),
        (
            "positive against negative, words alone, held out; other files",
            f"{held_out['words polar']:.3f}; {unseen['sentiment']['words polar']:.3f}",
            "0.93",
        ),
        ("calibration error on other files: sentiment of the words", f"{error['sentiment']:.3f}", ""),
        (
            "the same: complaints, emotions, stars",
            f"{error['complaints']:.3f}, {error['emotions']:.3f}, {error['stars']:.3f}",
            "",
        ),
        ("tweets, seven languages (UMSAB, validation): mean macro-F1", f"{content['tweets']['mean']:.2f}", "0.70"),
        (
            "emotions of whole reviews, up to three by annotators: micro-F1, held out; other files",
            f"{felt:.2f}; {unseen['emotions']['f1']:.2f}",
            "0.55",
        ),
        (
            "emotions of comments (GoEmotions, dev; thresholds chosen there): macro-F1, micro-F1",
            f"{comments['macro']:.3f}, {comments['micro']:.3f}",
            "0.54, 0.60",
        ),
        (
            "the same in German (machine translated, thresholds of the English)",
            f"{german['macro']:.3f}, {german['micro']:.3f}",
            "",
        ),
        (
            "as Ekman's six emotions: macro-F1, English; German",
            f"{comments['ekman macro']:.3f}; {german['ekman macro']:.3f}",
            "at most 0.10 apart",
        ),
        ("sentiment towards a target: MAMS validation", f"{targets['mams']:.3f}", "0.80"),
        (
            "the same: SemEval-2014 restaurants, laptops (not trained on)",
            f"{targets['semeval/Restaurants']:.3f}, {targets['semeval/Laptops']:.3f}",
            "0.82, 0.78",
        ),
    ]
    lines = ["| figure | value | bar |", "|---|--:|--:|"]
    return "\n".join([*lines, *(f"| {name} | {value} | {bar} |" for name, value, bar in rows)])


def of_themes(content: Figures) -> str:
    """Complaints per theme, of both halves of the held-out reviews."""
    halves = [half["theme"] for half in content["development, chosen on the other half"]]
    rows = {
        theme: pooled(half[theme] for half in halves if theme in half)
        for theme in {name for half in halves for name in half}
    }
    lines = ["| theme, complaints only | n | precision | recall | F1 |", "|---|--:|--:|--:|--:|"]
    for theme, v in sorted(rows.items(), key=lambda item: (-item[1]["n"], item[0])):
        if v["n"] >= 15:
            lines.append(f"| `{theme}` | {v['n']:.0f} | {v['precision']:.2f} | {v['recall']:.2f} | {v['f1']:.2f} |")
    return "\n".join(lines)


def block(name: str) -> str:
    """The block of a file of the documentation."""
    content = figures()
    if name == "themes":
        return of_themes(content) + "\n"
    return f"""**Complaints** (theme, per review; `general` left out), against people who labelled whole reviews:

{of_complaints(content)}

**Sentiment by the words alone**, positive against negative, on reviews that are plainly good or bad (files that no training saw, at
most 100 of each file and class). Bar: 0.88 in 12 languages, and none below 0.80:

{of_polarity(content)}

{of_the_rest(content)}
"""


def renewed(name: str) -> tuple[str, str]:
    """(a file of the documentation as it is, as it should be)."""
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return text, before + BEGIN + block(name) + END + rest.split(END)[1]


if __name__ == "__main__":
    for document in ("reader", "themes"):
        (ROOT / "docs" / f"{document}.md").write_text(renewed(document)[1], encoding="utf-8")
