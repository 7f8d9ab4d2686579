"""The library of problems and remedies is whole, and says what is wrong with one that is not."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.advice.problems import load_problems
from pipeline.core.errors import InputError

PROBLEMS = load_problems()
ENTRY = """[[problem]]
id = "cold"
theme = "food_temperature"
name = "Cold"
trades = ["restaurant"]
severity = 2
say.en = ["Cold soup.", "Cold tea.", "Cold pie."]
not = ["A cold beer, lovely."]
cause = "c"
customer = "c"
fix = ["f"]
measure = "m"
who = "w"
effort = "talk"
reply_say = "r"
reply_avoid = "r"
"""


def test_every_problem_can_be_acted_on() -> None:
    for problem in PROBLEMS:
        languages = dict(problem.say)
        assert {"en", "de", "fr", "es", "it", "pt", "zh", "ja"} <= set(languages), problem.id
        for text in (problem.cause, problem.customer, *problem.fix, problem.measure):
            assert text.endswith(".") and 6 <= len(text.split()) <= 34, (problem.id, text)
        assert "apologize for the inconvenience" not in " ".join(problem.fix).lower()


def test_nothing_is_said_twice() -> None:
    """A remedy that fits two problems fits neither."""
    steps = Counter(step for problem in PROBLEMS for step in (*problem.fix, problem.customer))
    said = Counter(sentence for problem in PROBLEMS for _, sentences in problem.say for sentence in sentences)
    assert [step for step, n in (steps | said).items() if n > 1] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("cold", "Cold!"), "'id' must be"),
        (("food_temperature", "nonsense"), "no theme"),
        (('["restaurant"]', '["moon base"]'), "'trades' must list"),
        (("severity = 2", "severity = 9"), "'severity' must be"),
        (('"talk"', '"wish"'), "'effort' must be one of talk, purchase, project"),
        (('cause = "c"', 'cause = ""'), "'cause' must be one line"),
        (('fix = ["f"]', "fix = []"), "'fix' must list one to 3"),
        (('"Cold tea.", "Cold pie."', '"Cold tea."'), "'say' must list"),
        (('who = "w"', 'who = "w"\nwhy = "x"'), "unknown key 'why'"),
        (("[[problem]]", ENTRY + "[[problem]]"), "cold: written twice"),
        (("[[problem]]", "[[problem"), "cannot be read"),
    ],
)
def test_errors_of_a_library(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    (tmp_path / "a.toml").write_text(ENTRY.replace(*change, 1))
    with pytest.raises(InputError, match=re.escape(message)):
        load_problems(tmp_path)


def test_a_library_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(ENTRY)
    (found,) = load_problems(tmp_path)
    assert found.say == (("en", ("Cold soup.", "Cold tea.", "Cold pie.")),) and found.trades == ("restaurant",)
