"""Signals on texts where one sees the answer."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metrics import signals

PROMPT = "A guest wrote: 'The soup was cold, and nobody came!' How can we improve?"
ANSWER = "Keep the soup hot and check on every table twice an hour."


def test_an_echoed_prompt() -> None:
    assert signals.prompt_echo(f"{PROMPT} {ANSWER}", PROMPT) == 1.0
    respaced = PROMPT.replace(",", " ,").replace("!", " !").upper()
    assert signals.prompt_echo(f"{respaced}\n{ANSWER}", PROMPT) == 1.0
    assert 0.3 < signals.prompt_echo(PROMPT[: len(PROMPT) // 2], PROMPT) < 0.6
    assert signals.prompt_echo(ANSWER, PROMPT) == 0.0
    assert signals.prompt_echo("", PROMPT) == 0.0 == signals.prompt_echo(ANSWER, "")


def test_a_copied_review() -> None:
    review = "The soup was cold, and nobody came!"
    assert signals.copied_share(review, review) == 1.0
    assert signals.copied_share(ANSWER, review) == 0.0
    # Of 4 four-grams "the soup was cold", "soup was cold i", "was cold i fear", "cold i fear so" the first is copied.
    assert signals.copied_share("The soup was cold, I fear so", review) == 1 / 4
    assert signals.copied_share("", review) == 0.0


def test_repetition() -> None:
    assert signals.repetition(ANSWER) == 0.0
    assert signals.repetition("train the staff well " * 50) > 0.95
    assert signals.repetition("a b c d a b c d") == pytest.approx(1 / 5)
    assert signals.repetition("") == signals.repetition("no loop") == 0.0


def test_length_ratio() -> None:
    assert signals.length_ratio("one two three", "one, two; three! four five six") == 0.5
    assert signals.length_ratio("", "one") == 0.0
    assert math.isnan(signals.length_ratio("one", "..."))


@pytest.mark.parametrize(
    "text",
    [
        "Train the staff.",
        "Really!",
        "Why not?",
        'She said "sorry."',
        "(Do it.)",
        "**Do it.**",
        "Warten Sie…",
        "请道歉。",
        "Yes. \n",
    ],
)
def test_finished(text: str) -> None:
    assert not signals.unfinished(text)


@pytest.mark.parametrize(
    "text", ["Train the", "Train the staff,", "1. Train.\n2.", "Do this: 3)", "Train the staff:", "", " "]
)
def test_unfinished(text: str) -> None:
    assert signals.unfinished(text)


def test_scripts_without_blanks_have_words_too() -> None:
    review = "汤是冷的没有人来"
    assert signals.copied_share("汤是冷的请道歉", review) == 1 / 4
    assert signals.length_ratio("冷的", review) == 2 / 8
    assert signals.repetition("おいしいおいしいおいしい") > 0.5


@given(st.text(), st.text())
def test_shares_are_shares(first: str, second: str) -> None:
    for value in (signals.prompt_echo(first, second), signals.copied_share(first, second), signals.repetition(first)):
        assert 0 <= value <= 1
    assert isinstance(signals.unfinished(first), bool)


def test_base_phi_2_echoed_its_prompt_and_the_teacher_did_not(shared_data: Path) -> None:
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    base = [signals.prompt_echo(row["phi-2_output"], row["input"]) for row in rows]
    teacher = [signals.prompt_echo(row["mistral_output"], row["input"]) for row in rows]
    assert sum(value > 0.5 for value in base) > 80
    assert max(teacher) < 0.3
