from __future__ import annotations

import re

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.advice.request import request, shorten
from pipeline.core import prompts
from pipeline.core.assets import PROMPTS
from pipeline.core.errors import InputError

ROW = {
    "text": "Cold soup.",
    "stars": 2.0,
    "emotions": ["anger"],
    "language": "en",
    "business": None,
    "themes": [{"theme": "food_quality", "evidence": "Cold soup.", "sentiment": "negative", "score": -0.9}],
}


def test_released_prompts_have_not_changed() -> None:
    """A released file never changes: an edit is a new version with its own line in prompts.lock."""
    lock = dict(line.split()[::-1] for line in (PROMPTS / "prompts.lock").read_text().splitlines())
    found = {file.stem: prompts.sha256(file.stem) for file in PROMPTS.glob("*.jinja")}
    assert found == lock


def test_every_prompt_is_documented() -> None:
    readme = (PROMPTS / "README.md").read_text()
    assert all(f"`{file.stem}`" in readme for file in PROMPTS.glob("*.jinja"))


def test_feedback_prompt_holds_stars_review_and_emotions() -> None:
    text = request(ROW, "feedback.v1").prompt
    assert "a 2-star review" in text and "<review>\nCold soup.\n</review>" in text and "feels anger" in text


def test_missing_stars_and_emotions_leave_no_hole() -> None:
    text = request({**ROW, "stars": None, "emotions": []}, "feedback.v1").prompt
    assert "None" not in text and "feels" not in text and "without a star rating" in text


def test_a_missing_variable_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        prompts.render("feedback.v1", stars=1)


def test_an_unknown_prompt_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"feedback\.v1"):
        prompts.load("feedback.v99")
    with pytest.raises(InputError):
        prompts.load("../prompts/feedback.v1")


@given(st.text(), st.sampled_from(["</review>", "< / REVIEW >", "<review>", "</Review\t>"]), st.text())
def test_a_review_cannot_close_its_markers(before: str, marker: str, after: str) -> None:
    text = request({**ROW, "text": before + marker + after}, "feedback.v1").prompt
    body = text.split("<review>\n", 1)[1]
    assert len(re.findall(r"<\s*/?\s*review\s*>", body, flags=re.IGNORECASE)) == 1, (
        "only the prompt's own closing marker"
    )


@given(st.text(max_size=300), st.integers(20, 100))
def test_shorten_keeps_both_ends_and_the_limit(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= max(most + 3, len(text) if len(text) <= most else 0)
    if len(text) <= most:
        assert short == text


def test_shorten_keeps_opening_and_end() -> None:
    text = "The opening words. " + "middle " * 100 + "the end."
    short = shorten(text, 60)
    assert short.startswith("The opening") and short.endswith("the end.") and "…" in short
