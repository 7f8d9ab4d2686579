"""The labels made by reading are whole, and the agreement that their README gives is theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pipeline.training
from pipeline.advice.problems import load_problems
from pipeline.core.labels import EMOTIONS
from pipeline.training.reader import corpora
from pipeline.training.reader.fit import themes

FOLDER = Path(pipeline.training.__file__).parent / "labels"
POLARITIES = {"negative", "neutral", "positive"}
THEMES = frozenset(themes())


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


REVIEWS = lines(FOLDER / "reviews.jsonl")
WRITTEN = lines(FOLDER / "written.jsonl")
TRANSLATED = lines(FOLDER / "translated.jsonl")
SENTENCES = sorted((FOLDER / "sentences").glob("*.jsonl"))


def is_known(mention: dict[str, Any]) -> bool:
    """Whether its polarity and theme are ours; `other:` names what no theme does."""
    theme = mention["theme"]
    return mention["polarity"] in POLARITIES and (theme in THEMES or (theme.startswith("other:") and len(theme) > 8))


def check(row: dict[str, Any], sentences: int) -> None:
    """What holds for every review that was read as a whole."""
    places = [mention["s"] for mention in row["mentions"]] + row["wishes"]
    assert all(0 <= place < sentences for place in places), row
    assert row["sentiment"] in {"negative", "neutral", "positive", "mixed"}
    assert 1 <= len(set(row["emotions"])) == len(row["emotions"]) <= 3 and set(row["emotions"]) <= set(EMOTIONS), row
    assert all(map(is_known, row["mentions"])), row


def test_every_reading_is_well_formed() -> None:
    for row in REVIEWS:
        check(row, row["sentences"])
        assert not {"text", "sentence"} & row.keys(), "the reviews are not ours to publish"
    first = [row["sha256"] for row in REVIEWS if row["reader"] == 1]
    assert len(first) == len(set(first))


def test_every_translated_sentence_is_labelled() -> None:
    assert len({row["pid"] for row in TRANSLATED}) == len(TRANSLATED)
    for row in TRANSLATED:
        assert set(row) == {"pid", "sha256", "mentions"}, "the sentences are not ours to publish"
        assert all(map(is_known, row["mentions"])), row
        named = [mention["theme"] for mention in row["mentions"]]
        assert len(named) == len(set(named)), row


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
    assert [round(value, 2) for value in (complaints, mentions, sentiment, emotion)] == [0.84, 0.81, 0.96, 0.8]
    assert "F1 0.84, on sentence, theme and polarity together at 0.81" in (FOLDER / "README.md").read_text()


def test_every_written_review_is_labelled() -> None:
    for row in WRITTEN:
        check(row, len(row["sentences"]))
        assert row["stars"] in {1, 2, 3, 4, 5} and row["trade"]
        assert all(text and text == text.strip() and "\n" not in text for text in row["sentences"]), row
        said = [(m["s"], m["theme"], m["polarity"]) for m in row["mentions"]]
        assert len(said) == len(set(said)), row
    assert {row["language"] for row in WRITTEN} == {
        "de",
        "en",
        "es",
        "fr",
        "it",
        "ja",
        "ko",
        "nl",
        "pl",
        "pt",
        "tr",
        "zh",
    }
    texts = [" ".join(row["sentences"]) for row in WRITTEN]
    assert len(texts) == len(set(texts))


def test_the_training_finds_every_sentence_of_ours() -> None:
    for row, example in zip(WRITTEN, corpora.own_reviews(THEMES), strict=True):
        assert [example.text[start:end] for start, end in example.sentences] == row["sentences"]
        named = [mention for mention in row["mentions"] if mention["theme"] in THEMES]
        assert [(m.sentence, *m.themes) for m in example.mentions] == [(m["s"], m["theme"]) for m in named]


def test_the_readme_counts_what_is_there() -> None:
    readme = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    mentions = [mention for row in WRITTEN for mention in row["mentions"]]
    complaints = sum(mention["polarity"] == "negative" for mention in mentions)
    assert (
        f"{len(WRITTEN):,} reviews in {len({row['language'] for row in WRITTEN})} languages, with "
        f"{sum(len(row['sentences']) for row in WRITTEN):,} sentences and {len(mentions):,} mentions, "
        f"{complaints:,} of them complaints"
    ) in readme
    sentences = [row for file in SENTENCES for row in lines(file)]
    assert (
        f"{len(sentences):,} sentences written for the project, as customers write them, on {len(SENTENCES)} themes in "
        f"{len({row['language'] for row in sentences})} languages"
    ) in readme
    assert f"{len(TRANSLATED):,} sentences" in readme
    first = [row for row in REVIEWS if row["reader"] == 1]
    assert f"{len(first):,} reviews in {len({row['language'] for row in first})} languages" in readme


@pytest.mark.parametrize("file", SENTENCES, ids=lambda file: file.stem)
def test_every_sentence_is_labelled(file: Path) -> None:
    rows = lines(file)
    texts = [row["text"] for row in rows]
    assert len(texts) == len(set(texts)) >= 100
    for row in rows:
        assert row["about"] == file.stem and isinstance(row["hard"], bool)
        assert all(map(is_known, row["mentions"])), row
        if not row["hard"]:
            assert file.stem in {mention["theme"] for mention in row["mentions"]}, row


CASES, ADVICE = lines(FOLDER / "cases.jsonl"), lines(FOLDER / "advice.jsonl")
KNOWN = {problem.id for problem in load_problems()}


def test_every_case_names_problems_of_the_library() -> None:
    assert len({(row["file"], row["row"]) for row in CASES}) == len(CASES)
    for row in CASES:
        assert set(row) == {"file", "row", "sha256", "language", "trade", "cases"}, (
            "the sentences are not ours to publish"
        )
        assert len({case["s"] for case in row["cases"]}) == len(row["cases"]) > 0
        for case in row["cases"]:
            assert set(case["problems"]) <= KNOWN and len(case["problems"]) <= 4, row
            assert not (case["problems"] and "missing" in case)


def test_our_texts_of_advice_are_whole() -> None:
    for row in ADVICE:
        assert len(row["sentences"]) == len(row["problems"]) <= 3 and set().union(*row["problems"]) <= KNOWN
        markers = re.findall(r"\[(\d)\]", row["text"])
        assert sorted(markers) == [str(n + 1) for n in range(len(row["sentences"]))], row["text"]
        steps = re.findall(r"(?m)^(\d)\. ", row["text"])
        assert steps == [str(n + 1) for n in range(len(steps))] and 3 <= len(steps) <= 5, row["text"]
        assert 70 <= len(row["text"].split()) <= 160


def test_our_texts_of_advice_copy_no_review(shared_data: Path) -> None:
    for row, _, review in corpora.reviews_of(shared_data, ADVICE):
        said, written = (re.findall(r"\w+", text.lower()) for text in (review, row["text"]))
        runs = {tuple(said[at : at + 8]) for at in range(len(said) - 7)}
        assert not runs & {tuple(written[at : at + 8]) for at in range(len(written) - 7)}, row["text"]
