from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core import profile
from pipeline.core.errors import InputError
from pipeline.student.recipe import load_recipe


@pytest.mark.parametrize("name", profile.names())
def test_every_shipped_profile_loads_with_its_recipe(name: str) -> None:
    loaded = profile.load(name)
    assert loaded.name == name
    assert loaded.description
    load_recipe(loaded.distill.recipe)


def test_profiles_that_use_the_hub_pin_a_commit() -> None:
    seed = profile.load("seed")
    revisions = [
        seed.sentiment.revision,
        seed.emotions.revision,
        seed.feedback.revision,
        seed.distill.revision,
        seed.score.bleurt_revision,
        seed.score.bertscore_revision,
    ]
    assert all(len(revision) == 40 for revision in revisions), revisions


def test_all_errors_come_in_one_message(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'extends = "embedded"\ncolour = 1\n[generate]\ntemprature = 1\ntop_p = 7\n[feedback]\nbackend = "x"\n'
    )
    with pytest.raises(InputError) as caught:
        profile.load(str(file))
    message = str(caught.value)
    assert "\n" not in message
    for part in ("colour: unknown key", "generate.temprature: unknown key", "generate.top_p", "feedback.backend"):
        assert part in message


def test_extends_changes_only_what_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "embedded"\n[feedback]\nmax_stars = 2\n')
    mine, base = profile.load(str(file)), profile.load("embedded")
    assert (mine.name, mine.feedback.max_stars) == ("mine", 2)
    assert mine.sentiment == base.sentiment and mine.distill == base.distill


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('extends = "nowhere"', "There is no profile 'nowhere'"),
        ("name = ", "not valid TOML"),
    ],
)
def test_a_broken_profile_is_one_clear_error(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(InputError, match=says):
        profile.load(str(file))


def test_a_profile_that_extends_itself_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "{file}"')
    with pytest.raises(InputError, match="extends itself"):
        profile.load(str(file))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("quantize: none", "exactly: quantize, lora, sft"),
        ("a: [", "not valid YAML"),
        ("quantize: 3\nlora: {}\nsft: {}", "none, nf4 or auto"),
        ("quantize: none\xa0", "not valid YAML"),
    ],
)
def test_a_broken_recipe_is_one_clear_error(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=says):
        load_recipe(str(file))


def test_a_student_is_for_teachers_that_cost_something(tmp_path: Path) -> None:
    def has_student(when: str, backend: str) -> bool:
        file = tmp_path / "p.toml"
        file.write_text(f'[feedback]\nbackend = "{backend}"\n[distill]\nwhen = "{when}"\n')
        return profile.load(str(file)).has_student

    assert not has_student("auto", "playbook") and has_student("auto", "openai")
    assert has_student("always", "playbook") and not has_student("never", "openai")
    assert profile.load("embedded").has_student, "to show and check every stage"
