"""From a trained network to the files that ship: quantised weights, rules, figures, and what it was trained on."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.advice import matching
from pipeline.advice.problems import load_problems
from pipeline.core.rows import Reading
from pipeline.reader import decide, reading
from pipeline.reader.decide import shrunk
from pipeline.text import duplicates
from pipeline.training.reader import base, corpora, evaluate, rules
from pipeline.training.reader import fit as training
from pipeline.training.reader.examples import Example

logger = logging.getLogger(__name__)

TOKENS = 25_300_000  # five hours on two cores


def train(
    data: Path,
    out: Path,
    *,
    tokens: int = TOKENS,
    minutes: float | None = None,
    seed: int = training.SEED,
    encoder: str | None = None,
) -> dict[str, Any]:
    """Writes the reader to `out` and returns its figures. After `minutes` it stops; the same call then goes on. `encoder`:
    what to start from, a folder, ID or ID@REVISION (None: the trimmed one of `base`).
    """
    started = time.time()
    checkpoint = Path(f"{out.name}.training")  # in the folder where it is called: not among what ships
    seconds = minutes and 60 * minutes
    model = training.fit(data, checkpoint, tokens=tokens, seconds=seconds, seed=seed, encoder=encoder)
    if model is None:
        return {"stopped": str(checkpoint), "next": "the same command goes on from there"}
    logger.info("trained in %.0f s; now the rules", time.time() - started)
    return ship(model, data, out, {"tokens": tokens, "seed": seed, **({"encoder": encoder} if encoder else {})})


def measure(data: Path) -> dict[str, Any]:
    """Figures of the shipped reader."""
    reader = reading.load()
    plain = _read(reader, list(evaluate.polar(data)))
    return _figures(reader, data, plain, _read(reader, _unpublished(data)), reader.settings["rules"])


def ship(model: training.Model, data: Path, out: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the weights, fits the rules on the quantised ones, and measures."""
    reading.save(model.encoder, model.heads, dict(settings), out, frozenset({base.EMBEDDINGS}))
    reading.load.cache_clear()
    reader = reading.load(out)
    development, elsewhere = _read(reader, training.development_reviews(data)), _read(reader, _unpublished(data))
    polar = _read(reader, list(evaluate.polar(data)))
    places, usual = _shares(data)
    fitted = rules.fit(development, polar, elsewhere, places, usual)
    halves = rules.halves(development)
    crossed = [
        rules.measure(test, places, rules.fit(part, polar, elsewhere, places, usual))
        for part, test in (halves, reversed(halves))
    ]
    vectors = _vectors(development)
    centre = [round(float(value), 5) for value in vectors.mean(0)]
    content = json.loads((out / decide.CONFIG).read_text(encoding="utf-8")) | {"rules": fitted, "centre": centre}
    (out / decide.CONFIG).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    first, second = rules.halves(elsewhere)
    figures = {
        "development, chosen on the other half": crossed,
        "files that no training saw, caution chosen on the other half": [
            rules.measure(test, {}, rules.fit(development, polar, part, places, usual))
            for part, test in ((first, second), (second, first))
        ],
        **_figures(reader, data, polar, elsewhere, fitted),
    }
    (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    corpora_seen = training.read(data)
    seen = [e.text for name in ("gold", "labels", "stars") for e in corpora_seen[name]] + [
        e.text for e, _ in development
    ]
    duplicates.save(seen, out)
    reading.load.cache_clear()
    decide.load.cache_clear()
    matching.save(load_problems(), model.proxies.weights(centre), out)
    return figures


def _figures(
    reader: reading.Reader, data: Path, plain: rules.Rows, elsewhere: rules.Rows, fitted: Mapping[str, Any]
) -> dict[str, Any]:
    measured = rules.measure(elsewhere, {}, fitted)
    return {"files that no training saw": measured, **evaluate.main(reader, data, plain)}


def _read(reader: reading.Reader, rows: Sequence[Example]) -> list[tuple[Example, Reading]]:
    return list(zip(rows, reader.read([row.text for row in rows]), strict=True))


def _vectors(rows: rules.Rows) -> np.ndarray:
    """Unit vectors of these reviews' sentences, (sentences, width), which a reader without a centre has read."""
    stored = [sentence["vector"] for _, found in rows for sentence in found["sentences"]]
    return np.stack([np.frombuffer(vector, reading.VECTOR) for vector in stored]).astype(np.float32)


def _unpublished(data: Path) -> list[Example]:
    return list(corpora.labelled(data, frozenset(training.themes()), published=False))


def _shares(data: Path) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """(per source, of all reviews) the share that speaks of each theme, by the labels; development reviews left out."""
    known = frozenset(training.themes())
    held_out = {row.text for row in training.development_reviews(data)}
    rows = [*corpora.gold(data, known), *corpora.labelled(data, known, published=True)]
    groups: dict[str, list[Example]] = {}
    for row in rows:
        if row.text not in held_out:
            groups.setdefault(row.source, []).append(row)
    every = _counted([row for group in groups.values() for row in group])
    n = sum(map(len, groups.values()))
    usual = {theme: (every[theme] + 1) / (n + 200) for theme in sorted(known)}
    places = {
        source: {theme: shrunk(_counted(group)[theme], len(group), usual[theme]) for theme in usual}
        for source, group in groups.items()
    }
    return places, usual


def _counted(rows: Sequence[Example]) -> Counter[str]:
    """Reviews per theme."""
    return Counter(theme for row in rows for theme in {mention.themes[0] for mention in row.mentions})
