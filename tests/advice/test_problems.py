"""The library of problems and remedies is whole, and says what is wrong with one that is not."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.advice import matching
from pipeline.advice.problems import in_language, load_problems, own_problems, problems_of, remedies_identity
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


def playbook(tmp_path: Path, content: str) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(f'of_trade = "restaurant"\n{content}')
    return file


def test_a_playbook_adds_problems_and_replaces_those_of_its_ids(tmp_path: Path) -> None:
    known = PROBLEMS[0]
    own = ENTRY + ENTRY.replace('"cold"', f'"{known.id}"').replace('"Cold"', '"Ours"')
    file = playbook(tmp_path, own)
    found = {problem.id: problem for problem in problems_of(file)}
    assert len(found) == len(PROBLEMS) + 1 and found["cold"].name == "Cold" and found[known.id].name == "Ours"
    assert in_language("de", file)[known.id].name == "Ours" and in_language("de")[known.id].name != "Ours"
    assert in_language("de", file)[PROBLEMS[1].id] == in_language("de")[PROBLEMS[1].id]
    assert problems_of(file) is problems_of(file), "as matchers are cached by it"
    before = remedies_identity(file)
    file.write_text(file.read_text().replace('fix = ["f"]', 'fix = ["another"]'))
    assert remedies_identity(file) != before != remedies_identity(), "an edited file is read again"


def test_a_problem_with_a_shipped_id_takes_from_there_what_it_does_not_say(tmp_path: Path) -> None:
    """With the sentences of a shipped problem it keeps its trained weights, below a theme of its own playbook."""
    theme = '[[aspect]]\nid = "igloo"\nlabel = "Igloo"\nsteps = ["a", "b", "c"]\nterms.en = ["igloo"]\n'
    known = next(problem for problem in PROBLEMS if problem.id == "dentist_work_fails")
    moved = f'[[problem]]\nid = "{known.id}"\ntheme = "igloo"\ncause = "Ours."\n'
    file = playbook(tmp_path, theme + moved)
    (found,) = own_problems(file)
    assert found == dataclasses.replace(known, theme="igloo", cause="Ours.") and matching._key(found) == matching._key(
        known
    )
    told = in_language("de", file)[known.id]
    assert told.cause == "Ours." and told.name == in_language("de")[known.id].name != known.name
    assert told.theme == "igloo", "what it has from the library is translated"


def test_without_problems_of_its_own_a_playbook_has_the_library(tmp_path: Path) -> None:
    file = playbook(tmp_path, "")
    assert problems_of(file) is problems_of() is PROBLEMS
    assert remedies_identity(file) == remedies_identity()


def test_a_problem_may_be_of_a_theme_of_its_own_playbook(tmp_path: Path) -> None:
    theme = '[[aspect]]\nid = "igloo"\nlabel = "Igloo"\nsteps = ["a", "b", "c"]\nterms.en = ["igloo"]\n'
    (found,) = (
        p for p in problems_of(playbook(tmp_path, theme + ENTRY.replace("food_temperature", "igloo"))) if p.id == "cold"
    )
    assert found.theme == "igloo"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("food_temperature", "nonsense"), "no theme"),
        (("severity = 2", "severity = 9"), "'severity' must be"),
        (("[[problem]]", ENTRY + "[[problem]]"), "cold: written twice"),
        (("[[problem]]", "[problem]"), "not a list of tables"),
    ],
)
def test_errors_in_the_problems_of_a_playbook(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        problems_of(playbook(tmp_path, ENTRY.replace(*change, 1)))
