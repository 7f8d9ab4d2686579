"""The labels made by reading are whole, and the agreement that their README gives is theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pipeline.training
from pipeline.core.labels import EMOTIONS

FOLDER = Path(pipeline.training.__file__).parent / "labels"
POLARITIES = {"negative", "neutral", "positive"}
ID = re.compile(r"[a-z]+(_[a-z]+)*|other:.+")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


REVIEWS = lines(FOLDER / "reviews.jsonl")
SENTENCES = sorted((FOLDER / "sentences").glob("*.jsonl"))


def test_every_reading_is_well_formed() -> None:
    for row in REVIEWS:
        places = [mention["s"] for mention in row["mentions"]] + row["wishes"]
        assert all(0 <= place < row["sentences"] for place in places), row
        assert row["sentiment"] in {"negative", "neutral", "positive", "mixed"}
        assert 1 <= len(row["emotions"]) <= 3 and set(row["emotions"]) <= set(EMOTIONS), row
        assert all(m["polarity"] in POLARITIES and ID.fullmatch(m["theme"]) for m in row["mentions"]), row
        assert not {"text", "sentence"} & row.keys(), "the reviews are not ours to publish"
    first = [row["sha256"] for row in REVIEWS if row["reader"] == 1]
    assert len(first) == len(set(first)) == 1227


def agreement(items: Callable[[dict[str, Any]], set[Any]]) -> float:
    """F1 of what two readers found in the same reviews."""
    one = {row["sha256"]: items(row) for row in REVIEWS if row["reader"] == 1}
    pairs = [(one[row["sha256"]], items(row)) for row in REVIEWS if row["reader"] == 2]
    both = sum(len(a & b) for a, b in pairs)
    return 2 * both / sum(len(a) + len(b) for a, b in pairs)


def test_readers_agree_as_the_readme_says() -> None:
    complaints = agreement(lambda row: {m["theme"] for m in row["mentions"] if m["polarity"] == "negative"})
    mentions = agreement(lambda row: {(m["s"], m["theme"], m["polarity"]) for m in row["mentions"]})
    sentiment = agreement(lambda row: {row["sentiment"]})
    emotion = agreement(lambda row: {row["emotions"][0]})
    assert [round(value, 2) for value in (complaints, mentions, sentiment, emotion)] == [0.89, 0.86, 0.97, 0.84]
    assert "F1 0.89, on sentence, theme and polarity together at 0.86" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("file", SENTENCES, ids=lambda file: file.stem)
def test_every_sentence_is_labelled(file: Path) -> None:
    rows = lines(file)
    texts = [row["text"] for row in rows]
    assert len(texts) == len(set(texts)) >= 100
    for row in rows:
        assert row["about"] == file.stem and isinstance(row["hard"], bool)
        assert all(m["polarity"] in POLARITIES and ID.fullmatch(m["theme"]) for m in row["mentions"]), row
        if not row["hard"]:
            assert file.stem in {mention["theme"] for mention in row["mentions"]}, row
