from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.tuning import unseen
from pipeline.tuning.labelled.rows import Columns, Example

COLUMNS = Columns("text", "stars")


def test_a_text_per_line_each_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("\ufeffGood soup.\n\n  good soup. \r\nText, with a comma\n", encoding="utf-8")
    assert unseen.read(file, "sentiment", COLUMNS) == [unseen.Text("Good soup."), unseen.Text("Text, with a comma")]


def test_a_table_with_and_without_labels(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("text,stars\nGood soup.,5\nBad soup.,\n")
    assert [text.label for text in unseen.read(file, "sentiment", COLUMNS, ["stars"])] == ["positive", ""]
    file.write_text("when,text\nMonday,Good soup.\n")
    assert unseen.read(file, "sentiment", COLUMNS, ["stars"]) == [unseen.Text("Good soup.")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.txt", None, "no such file"),
        ("empty.txt", "\n\n", "holds 0 texts"),
        ("many.txt", "\n".join(f"soup {n}" for n in range(201)), "holds 201 texts"),
        ("labels.csv", "text,stars\nGood.,great\n", "without a meaning"),
        ("column.csv", "body,stars\nGood.,5\n", "no column 'text'"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, name: str, content: str | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=says) as caught:
        unseen.read(tmp_path / name, "sentiment", COLUMNS, ["1=negative", "5=positive"])
    assert "\n" not in str(caught.value)


def test_every_outcome_is_shown_right_ones_too() -> None:
    texts = [unseen.Text(f"t{n}", "positive") for n in range(4)] + [unseen.Text("unlabelled")]
    sure = np.full((5, 2), 0.5)
    base = (["negative", "positive", "positive", "negative", "positive"], sure)
    tuned = (["positive", "positive", "negative", "negative", "positive"], sure)
    sides = unseen.side_by_side(texts, base, tuned, [Example("T1", (1,), "en", "x")])
    assert [side["right"] for side in sides] == [True, True, False, False, None]
    assert [side["text"] for side in sides if side["trained"]] == ["t1"], "case aside, it was trained on"
    found = {one["name"]: [row["text"] for row in one["rows"]] for one in unseen.outcomes(sides[:4])}
    assert found == {
        "mended by tuning": ["t0"],
        "right before and after": ["t1"],
        "spoilt by tuning": ["t2"],
        "wrong before and after": ["t3"],
    }
