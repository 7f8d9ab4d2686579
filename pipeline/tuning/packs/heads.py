"""What the stars of a pack's reviews can tune: the reader's sentiment by a calibration, or a classifier of its own.

Neither is kept unless rows that it did not learn from say that it is better than the reader as it stands.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
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
from pipeline.tuning.labelled.rows import Example, Labelled, MappedRow, targets
from pipeline.tuning.labelled.split import stratified_split

MIN_ROWS = 200  # labelled reviews, and
MIN_CLASS = 20  # of each sentiment
MOST_ROWS = 5000  # chosen by hash
AS_IT_STANDS = "the reader's as it stands"
_LOSS = 0.01  # of macro-F1 that a better ECE is worth

Progress = Callable[[str, int, int], None]


def tune(
    warehouse: Warehouse, folder: Path, reader: Sentiment, base: str, scratch: Path, progress: Progress
) -> tuple[dict[str, Any], str]:
    """(the `[sentiment]` of pack.toml, what was done in words). Files go to `folder`.

    `reader`: the sentiment of the profile that reads; `base`: a model to tune, "" for none.
    """
    data = labelled(warehouse)
    counts = Counter(SENTIMENTS[row.classes[0]] for row in data.examples)
    if len(data.examples) < MIN_ROWS or min(counts[name] for name in SENTIMENTS) < MIN_CLASS:
        had = ", ".join(f"{counts[name]} {name}" for name in SENTIMENTS)
        return {}, f"{AS_IT_STANDS}: too few stars to tune it ({had}; {MIN_ROWS} and {MIN_CLASS} of each are needed)"
    return _classifier(data, folder, reader, base, scratch, progress) if base else _calibration(data, folder, reader)


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


def _calibration(data: Labelled, folder: Path, reader: Sentiment) -> tuple[dict[str, Any], str]:
    found = calibrate(data, reader)
    ece, macro_f1 = ((found.before[name], found.after[name]) for name in ("ece", "macro_f1"))
    told = (
        f"ECE {ece[0]:.3f} before, {ece[1]:.3f} after; macro-F1 {macro_f1[0]:.3f} and {macro_f1[1]:.3f}; "
        f"{found.after['n']} test rows"
    )
    if ece[1] >= ece[0] or macro_f1[1] < macro_f1[0] - _LOSS:
        return {}, f"{AS_IT_STANDS}: a calibration does not better it ({told})"
    calibration.save(found.fitted, folder / pack.CALIBRATION)
    return {"calibration": pack.CALIBRATION}, f"the reader's, calibrated ({told})"


def _classifier(
    data: Labelled, folder: Path, reader: Sentiment, base: str, scratch: Path, progress: Progress
) -> tuple[dict[str, Any], str]:
    recipe = trainer.recipe_name(base, "lora")
    method = "full" if recipe == "lora" else "lora"  # a model with a recipe of its own; an adapter needs its base
    settings = trainer.Settings(
        task="sentiment",
        model=base,
        method=method,
        recipe=trainer.load_recipe(trainer.recipe_name(base, method)),
        balance="weights",
    )
    tuned = finetune.run(data, settings, scratch / "models", scratch / "tuned.duckdb", progress)
    if tuned is None:  # one of several processes
        return {}, AS_IT_STANDS
    file = tuned.model / pack.CALIBRATION
    section = Sentiment(backend="transformers", model=str(tuned.model), calibration=str(file))
    pair = _compared(stratified_split(data)["test"], data, section, reader)
    told = f"{significance.sentence(pair)}; {pair['n']} test rows, p {pair['p']:.3f}"
    if not pair["differ"] or pair["difference"] <= 0:
        return {}, f"{AS_IT_STANDS} ({told})"
    shutil.copytree(tuned.model, folder / pack.MODEL)
    languages = list(tuned.facts["learned"])
    head = {"model": pack.MODEL, "calibration": f"{pack.MODEL}/{pack.CALIBRATION}", "languages": languages}
    return head, f"a classifier of its own, from {base} ({told})"


def _compared(rows: Sequence[Example], data: Labelled, tuned: Sentiment, reader: Sentiment) -> significance.Pair:
    """The tuned model and the reader on the same rows. What the reader does not judge, it gets wrong."""
    truth, languages = targets(rows, data), [row.language for row in rows]
    texts = [{"text": row.text, "language": row.language} for row in rows]
    of_tuned = calibration.apply(calibration.load(tuned.calibration), classify_sentiment(texts, tuned), languages)
    of_reader = classify_sentiment(texts, reader)
    is_read = np.isfinite(of_reader).all(1)
    correct = {
        "the tuned model": figures.decide(of_tuned) == truth,
        "the reader": is_read & (figures.decide(np.nan_to_num(of_reader)) == truth),
    }
    return significance.pairs(correct, languages)[0]
