from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.advice.problems import load_problems, own_problems
from pipeline.core import pack, profile
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.reader import minilm
from pipeline.themes.taxonomy import load_aspects, load_taxonomy
from pipeline.tuning.packs.check import read_examples

WHOLE = 'name = "mine"\ndescription = "Mine"\nlicence = "Apache-2.0"\n'


def written(folder: Path, content: str = WHOLE) -> Path:
    folder.mkdir()
    (folder / pack.FILE).write_text(content)
    (folder / pack.PLAYBOOK).write_text('of_trade = "salon"\n')
    return folder


def loaded(tmp_path: Path, content: str) -> Profile:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    return profile.load(str(file))


@pytest.mark.parametrize("name", pack.names())
def test_every_shipped_pack_is_whole_and_says_what_a_business_can_do(name: str, tmp_path: Path) -> None:
    folder = pack.folder_of(name)
    assert pack.load(folder).name == name and pack.load(folder).licence == "Apache-2.0"
    taxonomy = load_taxonomy(folder / pack.PLAYBOOK)
    shipped = {aspect.id for aspect in load_aspects()}
    own = [aspect for aspect in taxonomy.aspects if aspect.id not in shipped]
    assert len(own) >= 4 and len(taxonomy.aspects) > 40
    for aspect in own:
        assert {"en", "de", "fr", "es"} <= set(dict(aspect.terms)) and aspect.parent in taxonomy.groups
        for step in aspect.steps:
            assert step.endswith(".") and 10 <= len(step.split()) <= 24, step
    problems = own_problems(folder / pack.PLAYBOOK)
    shipped_as = {problem.id: problem for problem in load_problems()}
    assert len([problem for problem in problems if problem.id not in shipped_as]) >= 3
    assert all(one.theme in {aspect.id for aspect in own} for one in problems if one.id in shipped_as), (
        "moved below ours"
    )
    for problem in problems:
        assert {"en", "de", "fr", "es"} <= set(dict(problem.say))
        for text in (problem.cause, problem.customer, *problem.fix, problem.measure):
            assert text.endswith(".") and 6 <= len(text.split()) <= 34, (problem.id, text)
    examples = read_examples(folder / pack.EXAMPLES, [aspect.id for aspect in taxonomy.aspects])
    assert {theme for example in examples for theme in example["themes"]} == {aspect.id for aspect in own}
    assert loaded(tmp_path, f'extends = "embedded"\npack = "{name}"\n').themes.taxonomy == str(folder / pack.PLAYBOOK)


def test_a_pack_is_short_for_keys_and_the_profiles_own_go_before(tmp_path: Path) -> None:
    head = '[sentiment]\ncalibration = "c.json"\nmodel = "model"\nlanguages = ["en"]\n'
    folder = written(tmp_path / "mine", WHOLE + head)
    (folder / "c.json").write_text("{}")
    (folder / "model").mkdir()
    found = loaded(tmp_path, f'extends = "embedded"\npack = "{folder}"\n')
    assert found.themes.taxonomy == str(folder / pack.PLAYBOOK) and found.pack == str(folder)
    assert (found.sentiment.backend, found.sentiment.model) == ("transformers", str(folder / "model"))
    assert found.sentiment.calibration == str(folder / "c.json") and found.sentiment.languages == ("en",)
    own = f'extends = "embedded"\npack = "{folder}"\n[sentiment]\nbackend = "embedded"\nmodel = ""\nlanguages = []\n'
    assert loaded(tmp_path, own).sentiment.backend == "embedded"
    assert loaded(tmp_path, own).sentiment.calibration == str(folder / "c.json")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name = ", "cannot be read"),
        ('name = "mine"\n', "description: .*licence: "),
        (WHOLE + "colour = 1\n", "colour: "),
        (WHOLE + '[sentiment]\nmodel = "model"\n', "model is not in the pack"),
        (WHOLE + '[sentiment]\ncalibration = "../mine/pack.toml"\n', "is not in the pack"),
        (WHOLE + '[sentiment]\nmodel = "/"\n', "is not in the pack"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, content: str, says: str) -> None:
    folder = written(tmp_path / "mine", content)
    with pytest.raises(InputError, match=says) as caught:
        loaded(tmp_path, f'extends = "embedded"\npack = "{folder}"\n')
    assert "\n" not in str(caught.value)


def test_an_adapter_stands_on_what_travels_with_the_package_alone(tmp_path: Path) -> None:
    """A pack that somebody sent fetches nothing."""
    folder = written(tmp_path / "mine", WHOLE + '[sentiment]\nmodel = "model"\n')
    (folder / "model").mkdir()
    adapter = folder / "model" / "adapter_config.json"
    adapter.write_text(json.dumps({"base_model_name_or_path": minilm.HUB_ID}))
    assert pack.load(folder).sentiment.model == "model"
    for content in ('{"base_model_name_or_path": "somebody/else"}', "{}", "["):
        adapter.write_text(content)
        with pytest.raises(InputError, match=r"stands on 'somebody/else'|cannot be read"):
            pack.load(folder)


def test_a_pack_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pack 'florist'.*dental, salon"):
        loaded(tmp_path, 'pack = "florist"\n')
