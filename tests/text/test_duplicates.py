"""Sketches find copies and near-copies, and nothing else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import duplicates

REVIEW = (
    "We booked a table for eight weeks ahead, and when we came nobody knew of it. The manager was kind and found us a "
    "place by the door, where it was cold all evening. The lamb was the best I have had in years, so we may come back."
)
OTHER = (
    "The blender broke after two smoothies. I wrote to the seller three times and got the same automatic answer, that "
    "somebody would look into it within two working days. Nobody did, and the money is gone."
)


def test_a_copy_is_known_and_another_text_is_not(tmp_path: Path) -> None:
    duplicates.save([REVIEW, "这家餐厅的服务很差我再也不会来了"], tmp_path)
    texts = [
        REVIEW,
        REVIEW.upper().replace(".", " !"),
        f"{REVIEW} Thank you!",
        "这家餐厅的服务很差，我再也不会来了。",
        OTHER,
        "这家餐厅的菜很好吃我们还会再来的",
        "",
    ]
    assert duplicates.trained_on(texts, tmp_path) == [True, True, True, True, False, False, False]


def test_a_model_without_sketches_knows_nothing(tmp_path: Path) -> None:
    assert duplicates.trained_on([REVIEW], tmp_path) == [False]


def test_no_text_can_be_read_from_the_file(tmp_path: Path) -> None:
    duplicates.save([REVIEW], tmp_path)
    content = (tmp_path / "trained_on.safetensors").read_bytes()
    assert b"lamb" not in content and len(content) < 200


@given(st.text(max_size=300))
def test_every_text_has_a_sketch_that_ignores_case(text: str) -> None:
    assert duplicates.sketches([text]).shape == (1, 4)
    assert (duplicates.sketches([text.casefold()]) == duplicates.sketches([text])).all()


def test_the_shipped_reader_says_what_it_was_trained_on(shared_data: Path) -> None:
    from pipeline.core.assets import READER
    from pipeline.training.reader import corpora
    from pipeline.training.reader.fit import themes

    known = frozenset(themes())
    seen = [row.text for row in corpora.gold(shared_data, known)]
    others = [row.text for row in corpora.labelled(shared_data, known, published=False)]
    assert sum(duplicates.trained_on(seen, READER)) > 0.99 * len(seen)
    assert sum(duplicates.trained_on(others, READER)) < 0.03 * len(others)
