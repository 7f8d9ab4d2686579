"""What the stars of a pack's reviews can tune: the reader's sentiment by a calibration, or a classifier of its own.

Neither is kept unless rows that it did not learn from say that it is better than the reader as it stands.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backends.dispatch import classify_sentiment
from pipeline.core import pack
from pipeline.core.labels import SENTIMENTS, from_stars
from pipeline.core.profile import Sentiment
from pipeline.core.warehouse import Warehouse
from pipeline.reader import calibration
from pipeline.tuning import figures, finetune, significance, trainer
from pipeline.tuning.calibrate import calibrate
from pipeline.tuning.labelled.clean import clean
from pipeline.tuning.labelled.rows import Labelled, MappedRow, targets
from pipeline.tuning.labelled.split import stratified_split

MIN_ROWS = 200  # labelled reviews, and
MIN_CLASS = 20  # of each sentiment
MOST_ROWS = 5000  # chosen by hash


def tune(
    warehouse: Warehouse,
    folder: Path,
    base: str,
    scratch: Path,
    progress: Callable[[str, int, int], None],
) -> tuple[dict[str, Any], str]:
    """(the `[sentiment]` of pack.toml, what was done in words). Files go to `folder`. `base`: a model to tune, "" for none."""
    data = labelled(warehouse)
    counts = Counter(SENTIMENTS[row.classes[0]] for row in data.examples)
    if len(data.examples) < MIN_ROWS or min(counts[name] for name in SENTIMENTS) < MIN_CLASS:
        had = ", ".join(f"{counts[name]} {name}" for name in SENTIMENTS)
        return (
            {},
            f"the reader's as it stands: too few stars to tune ({had}; {MIN_ROWS} and {MIN_CLASS} of each needed)",
        )
    return _classifier(data, folder, base, scratch, progress) if base else _calibration(data, folder)


def labelled(warehouse: Warehouse) -> Labelled:
    """The warehouse's reviews with stars, labelled by these."""
    rows = warehouse.query(
        "SELECT text, language, stars FROM reviews WHERE stars IS NOT NULL AND NOT rating_only ORDER BY md5(review_id) LIMIT ?",
        [MOST_ROWS],
    )
    mapped = [MappedRow(row["text"], (from_stars(row["stars"]),), row["language"] or "unknown", "pack") for row in rows]
    dropped = Counter[str]()
    examples = clean(mapped, SENTIMENTS, dropped)
    return Labelled("sentiment", SENTIMENTS, tuple(examples), len(rows), dict(dropped), "pack")


def _calibration(data: Labelled, folder: Path) -> tuple[dict[str, Any], str]:
    found = calibrate(data, Sentiment())
    ece, macro_f1 = ((found.before[name], found.after[name]) for name in ("ece", "macro_f1"))
    told = f"ECE {ece[0]:.3f} before, {ece[1]:.3f} after; macro-F1 {macro_f1[0]:.3f} and {macro_f1[1]:.3f}, {found.after['n']} test rows"
    if ece[1] >= ece[0] or macro_f1[1] < macro_f1[0] - 0.01:
        return {}, f"the reader's as it stands: a calibration does not better it ({told})"
    calibration.save(found.fitted, folder / pack.CALIBRATION)
    return {"calibration": pack.CALIBRATION}, f"the reader's, calibrated ({told})"


def _classifier(
    data: Labelled, folder: Path, base: str, scratch: Path, progress: Callable[[str, int, int], None]
) -> tuple[dict[str, Any], str]:
    method = "lora" if trainer.recipe_name(base, "lora").startswith("minilm") else "full"
    recipe = trainer.load_recipe(trainer.recipe_name(base, method))
    settings = trainer.Settings(task="sentiment", model=base, method=method, recipe=recipe, balance="weights")
    tuned = finetune.run(data, settings, scratch / "models", scratch / "tuned.duckdb", progress)
    if tuned is None:
        return {}, "the reader's as it stands"
    test = stratified_split(data)["test"]
    rows = [{"text": row.text, "language": row.language} for row in test]
    section = Sentiment(backend="transformers", model=str(tuned.model), calibration=str(tuned.model / pack.CALIBRATION))
    pair = _against_the_reader(rows, targets(test, data), section)
    told = f"{significance.sentence(pair)}; {pair['n']} test rows, corrected p {pair['corrected']:.3f}"
    if not pair["differ"] or pair["difference"] <= 0:
        return {}, f"the reader's as it stands ({told})"
    shutil.copytree(tuned.model, folder / pack.MODEL)
    languages = list(tuned.facts["learned"])
    head = {"model": pack.MODEL, "calibration": f"{pack.MODEL}/{pack.CALIBRATION}", "languages": languages}
    return head, f"a classifier of its own, from {base} ({told})"


def _against_the_reader(rows: Sequence[Mapping[str, Any]], truth: np.ndarray, section: Sentiment) -> significance.Pair:
    """The tuned model of a `section` and the reader on the same rows. What the reader does not judge, it gets wrong."""
    languages = [row["language"] for row in rows]
    tuned = calibration.apply(calibration.load(section.calibration), classify_sentiment(rows, section), languages)
    correct = {"the tuned model": figures.decide(tuned) == truth}
    plain = classify_sentiment(rows, Sentiment())
    correct["the reader"] = np.isfinite(plain).all(1) & (figures.decide(np.nan_to_num(plain)) == truth)
    return significance.pairs(correct, languages)[0]
