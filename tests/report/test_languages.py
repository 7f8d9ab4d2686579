"""What a report says beside the shares of languages and countries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.core.warehouse import open_work, publish
from pipeline.report.languages import note
from tests.report.test_report import DAY, split, write, write_warehouse


def row(name: str, shift: float | None, judged: int = 9) -> dict[str, Any]:
    return {"name": name, "shift": shift, "judged": judged}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row("de", 0.1)], ""),
        ([row("de", 0.1), row("en", None, 0), row("unknown", None)], ""),
        ([row("de", None), row("en", None)], "The shares are as judged."),
        ([row("de", 0.1), row("en", 0.0)], "corrected for the model's own shift"),
        ([row("de", 0.1), row("eu", None), row("sw", None)], "Not measured, and so not corrected: eu, sw."),
    ],
)
def test_the_note(rows: list[dict[str, Any]], says: str) -> None:
    assert says in note(rows) and bool(note(rows)) == bool(says)


def page_of(folder: Path, name: str, measured: bool) -> tuple[str, str]:
    """The pages of a warehouse with reviews in two languages and countries; if `measured`, German is read too darkly."""
    texts = [f"{letter} {n}: we waited." for letter in "ab" for n in range(12)]
    path = split(write_warehouse(folder / f"{name}.duckdb", texts), "BB")
    opened = open_work(path)
    opened.execute("UPDATE store.reviews SET language = CASE WHEN text < 'b' THEN 'de' ELSE 'en' END")
    if measured:
        # Doubtful reviews are turned over by what is taken off, clear ones are not.
        opened.execute("UPDATE store.sentiment SET negative = 0.5, neutral = 0.45 WHERE review_id IN "
                       "(SELECT review_id FROM reviews WHERE text LIKE 'a 1%')")  # fmt: skip
        shift = {
            "n": 500,
            "shift": -0.1,
            "low": -0.12,
            "high": -0.08,
            "negative": -0.2,
            "neutral": 0.1,
            "positive": 0.1,
        }
        opened.append("language_shift", [{"language": "de", **shift}])
    out = write(publish(opened), folder / name, DAY)
    return (out / "report.html").read_text(), (out / "report.md").read_text()


def test_the_pages_show_both_shares_and_say_which_is_which(tmp_path: Path) -> None:
    page, text = page_of(tmp_path, "measured", True)
    for content in (page, text):
        assert (
            "are corrected for the model&#39;s own shift" in content
            or "are corrected for the model's own shift" in content
        )
        assert "Not measured, and so not corrected: en." in content
    assert "| de | 12 | 75 % |" in text and "| A\\|A | 12 | 2.0 | 75 % |" in text, "9 of 12, in languages and countries"
    assert "| 100 % |" in text, "as judged"
    assert '<a href="#languages">Languages</a>' in page
    page, text = page_of(tmp_path, "plain", False)
    assert "The shares are as judged." in page and "The shares are as judged." in text
    assert "| de | 12 | 100 % |" in text
