"""The notebook of examples/, cell by cell, without Jupyter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder in which the notebook ran, and the names that its cells left behind."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copy(EXAMPLES / "reviews.csv", folder)
    cells = json.loads((EXAMPLES / "first_steps.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MPLBACKEND", "Agg")
        for cell in cells:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), cell["id"], "exec"), names)  # noqa: S102
    return folder, names


def test_three_queries_have_an_answer(ran: tuple[Path, dict[str, Any]]) -> None:
    folder, names = ran
    businesses, complaints, quotes = (names[name].fetchall() for name in ("businesses", "complaints", "quotes"))
    assert {name: reviews for name, reviews, *_ in businesses} == dict.fromkeys(
        ("Blue Door Rooms", "Harbour Bakery", "Lantern Books"), 10
    )
    assert "waiting_time" in {row[0] for row in complaints}
    reviews = (folder / "reviews.csv").read_text(encoding="utf-8")
    assert quotes and all(evidence in reviews for _, _, evidence in quotes), "letter for letter"


def test_the_chart_has_a_bar_for_each_complaint(ran: tuple[Path, dict[str, Any]]) -> None:
    folder, names = ran
    assert (folder / "complaints.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = names["figure"].axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [row[2] for row in names["complaints"].fetchall()] and min(widths) > 0


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads((EXAMPLES / "first_steps.ipynb").read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells), "clear all outputs before saving: they name local paths"
