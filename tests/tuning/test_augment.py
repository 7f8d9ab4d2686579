from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.base import Request, Written
from pipeline.core.labels import SENTIMENTS
from pipeline.metrics import wordnet
from pipeline.text.words import fold
from pipeline.tuning import finetune, trainer
from pipeline.tuning.augment import KEEPING, augment, back_translated, casing, emoji, flip, synonyms, typos
from pipeline.tuning.labelled.rows import Example
from tests import labelled_rows
from tests.checkpoints import Checkpoints

SENTENCE = """
    the waitress brought wonderful spaghetti quickly and our restaurant bathroom smelled awful not never good
    a friendly waiter recommend nothing was very clean
"""
TEXTS = st.lists(st.sampled_from(SENTENCE.split()), min_size=1, max_size=25).map(" ".join)
LABELS = st.sampled_from(SENTIMENTS)
SEEDS = st.integers(0, 1000)


def row(text: str, label: str = "positive", language: str = "en") -> Example:
    return Example(text, (SENTIMENTS.index(label),), language, "rows")


@pytest.mark.parametrize(
    ("text", "label", "negated", "becomes"),
    [
        ("The room was very clean.", "positive", "The room was not clean.", "negative"),
        ("The staff weren't friendly!", "negative", "The staff were friendly!", "positive"),
        ("It was not very good", "negative", "It was very good", "positive"),
        ("I would highly recommend this place.", "positive", "I would not recommend this place.", "negative"),
        ("I would not recommend this phone.", "negative", "I would recommend this phone.", "positive"),
        ("We will definitely be back!", "positive", "We will not be back!", "negative"),
        ("I will never go back.", "negative", "I will go back.", "positive"),
    ],
)
def test_a_plain_statement_is_negated_and_its_label_with_it(text: str, label: str, negated: str, becomes: str) -> None:
    assert flip(text, label) == (negated, becomes)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The food was terrible.", "negative"),  # not terrible is not good
        ("The food was superb.", "positive"),  # not superb is no complaint
        ("Nothing was good.", "positive"),
        ("The food was good, the service bad.", "negative"),
        ("I thought it was good.", "positive"),
        ("The only thing was nice.", "positive"),
        ("Every room was clean.", "positive"),  # not every room is none
        ("The food was good.", "neutral"),
        ("The food was good.", "negative"),  # its words do not say what its label says
        ("Was the food good?", "positive"),
        ("I would recommend it if it were good.", "positive"),
        ("I do not recommend nothing else.", "negative"),
    ],
)
def test_what_the_rule_is_not_sure_of_is_left_alone(text: str, label: str) -> None:
    assert flip(text, label) is None


@given(TEXTS, LABELS)
def test_a_negation_changes_one_pole_into_the_other_and_never_twice_the_same_way(text: str, label: str) -> None:
    negated = flip(text, label)
    if negated:
        assert {label, negated[1]} == {"negative", "positive"}
        again = flip(*negated)
        assert again is None or again[1] == label


@given(TEXTS, LABELS, SEEDS)
def test_what_keeps_its_label_keeps_every_negator_and_its_words(text: str, label: str, seed: int) -> None:
    negators = [word for word in text.split() if word in ("not", "never", "nothing")]
    for variant in (make(text, label, random.Random(seed)) for make in KEEPING):
        assert [word for word in fold(variant).split() if word in ("not", "never", "nothing")] == negators
        assert len([word for word in variant.split() if word.isalpha()]) == len(text.split())


@given(TEXTS, LABELS, SEEDS)
def test_each_transform_does_what_it_says(text: str, label: str, seed: int) -> None:
    rng, known = random.Random(seed), wordnet.load()
    mistyped = zip(text.split(), typos(text, label, rng).split(), strict=True)
    assert all(not known.synsets(new) for old, new in mistyped if old != new), "no typing error is another word"
    assert fold(casing(text, label, rng)) == fold(text)
    assert emoji(text, label, rng).startswith(text) and (label != "neutral" or emoji(text, label, rng) == text)
    replaced = zip(text.split(), synonyms(text, label, rng).split(), strict=True)
    assert all(len(known.synsets(old)) == 1 and new in known.synonyms(old) for old, new in replaced if old != new)


def test_rows_come_first_other_languages_stay_and_the_same_seed_gives_the_same() -> None:
    rows = [row("The room was clean."), row("Das Zimmer war sauber.", language="de"), row("Average food.", "neutral")]
    once, again = augment(rows, SENTIMENTS, 3), augment(rows, SENTIMENTS, 3)
    assert once == again and once[:3] == rows and len(once) > 3
    assert {variant.language for variant in once[3:]} == {"en"}
    assert row("The room was not clean.", "negative") in once
    assert augment(rows, SENTIMENTS, 4) != once


def test_no_variant_is_a_row_of_another_split_or_contradicts_a_row() -> None:
    rows = [row("The room was clean."), row("The food was not good.", "negative"), row("The food was good.", "neutral")]
    found = augment(rows, SENTIMENTS, 0, apart=[row("the room was NOT clean.", "negative")])
    assert not {"The room was not clean."} & {variant.text for variant in found}
    labels: dict[str, set[tuple[int, ...]]] = {}
    for variant in found:
        labels.setdefault(fold(variant.text), set()).add(variant.classes)
    assert all(len(classes) == 1 for classes in labels.values())


class Translator:
    """Translates one text, cannot the next, and answers in German for the third."""

    model = "translator"

    def write(self, requests: Sequence[Request]) -> list[Written]:
        assert all("<text>" in request.prompt for request in requests)
        answers = []
        for request in requests:
            text = request.review["text"]
            if "into German" in request.prompt:
                answers.append(Written(f"de:{text}", "", error="down" if "waiter" in text else None))
            elif "room" in text:
                answers.append(Written("Das Zimmer war überhaupt nicht sauber, und das Bett auch nicht.", ""))
            else:
                answers.append(Written("The meal that we had there in the evening was good.", ""))
        return answers


def test_back_translation_keeps_what_came_back_in_english() -> None:
    rows = [
        row("The food we had there that evening was good."),
        row("The waiter was rude to us all evening.", "negative"),
        row("The room was not clean at all, and the bed was not clean.", "negative"),
    ]
    assert [found.text for found in back_translated(rows, Translator())] == [
        "The meal that we had there in the evening was good."
    ]


@pytest.mark.slow
def test_finetune_measures_the_gain_and_offers_variants_only_where_they_help(tiny: Checkpoints, tmp_path: Path) -> None:
    own = labelled_rows.settings(tiny.distilbert_base, num_train_epochs=1, learning_rate=0.0)
    data = labelled_rows.labelled(120)
    with_variants = trainer.Settings(**{**vars(own), "augment": True})
    assert own.key(data) != with_variants.key(data)
    result = finetune.run(data, with_variants, tmp_path / "m", tmp_path / "w.duckdb")
    assert result is not None
    told = result.facts["augmentation"]
    assert told["train_rows"]["with"] > told["train_rows"]["without"] == 96 and not told["offered"]
    assert "not clearly different from the one trained without" in result.verdict
    assert own.key(data) in result.model.parent.name and "augmented.json" not in {
        f.name for f in result.folder.iterdir()
    }
    assert len(list((tmp_path / "m").glob("*/augmented.json"))) == 1
