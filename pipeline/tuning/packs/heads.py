"""What the stars of a pack's reviews can tune: the reader's sentiment by a calibration, or a classifier of its own.

Neither is kept unless rows that it did not learn from say that it is better than the reader as it stands.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backends.dispatch import classify_sentiment
from pipeline.core import pack
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS, from_stars
from pipeline.core.profile import Sentiment
from pipeline.core.warehouse import Warehouse
from pipeline.quality import intervals
from pipeline.reader import calibration
from pipeline.tuning import figures, finetune, trainer
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
    """(the `[sentiment]` of pack.toml, which says what was measured; what was done in words). Files go to `folder`.

    `reader`: the sentiment of the profile that reads; `base`: a model to tune, "" for none. What it must better is the reader as
    the pack would have it without: calibrated, where that helps.
    """
    data = labelled(warehouse)
    counts = Counter(SENTIMENTS[row.classes[0]] for row in data.examples)
    if len(data.examples) < MIN_ROWS or min(counts[name] for name in SENTIMENTS) < MIN_CLASS:
        had = ", ".join(f"{counts[name]} {name}" for name in SENTIMENTS)
        return {}, f"{AS_IT_STANDS}: too few stars to tune it ({had}; {MIN_ROWS} and {MIN_CLASS} of each are needed)"
    head, told = _calibration(data, folder, reader)
    if not base:
        return _with_figures(head, told)
    without = replace(reader, calibration=str(folder / pack.CALIBRATION)) if head else reader
    model, why = _classifier(data, folder, without, base, scratch, progress)
    if not model:
        return _with_figures(head, f"{told}. A classifier tuned from {base} is not kept: {why}")
    (folder / pack.CALIBRATION).unlink(missing_ok=True)  # of the reader
    return _with_figures(model, why)


def _with_figures(head: dict[str, Any], told: str) -> tuple[dict[str, Any], str]:
    return {**head, "measured": told} if head else {}, told


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
    try:
        found = calibrate(data, reader)
    except InputError as error:  # in languages that it does not read, say
        return {}, f"{AS_IT_STANDS}: it cannot be calibrated ({error})"
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
    section = Sentiment(backend="transformers", model=str(tuned.model), calibration=str(tuned.model / pack.CALIBRATION))
    gain, is_better = _compared(stratified_split(data)["test"], data, section, reader)
    if not is_better:
        return {}, gain
    shutil.copytree(
        tuned.model, folder / pack.MODEL, copy_function=shutil.copyfile
    )  # without the rights of a scratch file
    size = sum(file.stat().st_size for file in (folder / pack.MODEL).iterdir()) / 1e6
    head = {
        "model": pack.MODEL,
        "calibration": f"{pack.MODEL}/{pack.CALIBRATION}",
        "languages": list(tuned.facts["learned"]),
    }
    return head, f"a classifier of its own, tuned from {base} ({size:.0f} MB). {gain}"


def _compared(rows: Sequence[Example], data: Labelled, tuned: Sentiment, reader: Sentiment) -> tuple[str, bool]:
    """(the tuned model against the reader on the same rows, in words; whether it is surely better). What the reader does not
    judge, it gets wrong.
    """
    from sklearn.metrics import f1_score

    truth = targets(rows, data)
    ours, theirs = _decided(rows, tuned), _decided(rows, reader)
    gain = finetune.Gain(*intervals.paired_bootstrap(ours == truth, theirs == truth), len(rows))
    of_ours, of_theirs = (
        float(f1_score(truth, decided, labels=range(len(SENTIMENTS)), average="macro", zero_division=0))
        for decided in (ours, theirs)
    )
    told = f"{gain.told('It', 'the reader')} Macro-F1: {of_ours:.2f}, the reader's {of_theirs:.2f}"
    return told, gain.is_clear and of_ours >= of_theirs - _LOSS


def _decided(rows: Sequence[Example], section: Sentiment) -> np.ndarray:
    """Class indices as a run with this section decides by the words alone, shape (rows,); -1 where they are not judged."""
    found = classify_sentiment([{"text": row.text, "language": row.language} for row in rows], section)
    if section.calibration:
        found = calibration.apply(calibration.load(section.calibration), found, [row.language for row in rows])
    return np.where(np.isfinite(found).all(1), figures.decide(np.nan_to_num(found)), -1)
