"""Advice is written in the owner's language."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from pipeline.advice.answer import parse_suggestions
from pipeline.advice.phrases import Phrases, advice_language, phrases
from pipeline.advice.problems import TRANSLATIONS, in_language, load_problems
from pipeline.advice.writer import MOST_WORDS, Playbook
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.themes.taxonomy import load_taxonomy
from tests.factory import review

PLAYBOOK = Playbook()
_RUNS = itertools.count()  # the reviews of a run do not change
SLOTS = {
    "problem": {"name", "quote"},
    "complaint": {"quote"},
    "cause": {"cause"},
    "mention": {"quote"},
    "praise": {"quote"},
    "steps": set[str](),
    "customer": {"step"},
    "ask": set[str](),
    "watch": {"measure"},
    "look": {"quote"},
}
OTHERS = sorted(set(phrases()) - {"en"})


@pytest.mark.parametrize("language", phrases())
def test_every_sentence_has_its_slots(language: str) -> None:
    said = dataclasses.asdict(phrases()[language])
    assert set(SLOTS) == set(said) == {field.name for field in dataclasses.fields(Phrases)}
    assert set(said["look"]) == {*load_taxonomy().groups, "case", "choice"}
    one_by_one = {key: [value] if isinstance(value, str) else value.values() for key, value in said.items()}
    for key, sentence in ((key, sentence) for key, sentences in one_by_one.items() for sentence in sentences):
        assert set(re.findall(r"\{(\w+)\}", sentence)) - {"label"} == SLOTS[key], (language, key)


@pytest.mark.parametrize("language", OTHERS)
def test_every_problem_is_translated(language: str) -> None:
    assert (TRANSLATIONS / f"{language}.toml").is_file()
    translated = in_language(language)
    english = {problem.id: problem for problem in load_problems()}
    assert list(translated) == list(english)
    for id, problem in translated.items():
        original = english[id]
        for key in ("name", "cause", "customer", "measure"):
            text = getattr(problem, key)
            assert text.strip() and len(text.splitlines()) == 1 and "{" not in text, (id, key)
            assert key == "name" or text != getattr(original, key), f"{id}: {key} is English"
        assert len(problem.fix) == len(original.fix) and all(map(str.strip, problem.fix)) and problem.who.strip(), id
        assert (
            dataclasses.replace(
                problem,
                **{key: getattr(original, key) for key in ("name", "cause", "customer", "fix", "measure", "who")},
            )
            == original
        ), "nothing else changes with the language"


@pytest.mark.parametrize("language", OTHERS)
def test_advice_in_a_language_has_the_shape_of_the_english_one(language: str) -> None:
    for problem in list(in_language(language).values())[::9]:
        theme = {"theme": problem.theme, "evidence": "Quatsch!", "sentiment": "negative", "score": -1.0}
        found = [theme | {"problem": problem.id}, theme | {"theme": "noise", "evidence": "zu laut"}]
        text, steps = PLAYBOOK.compose({"text": "x", "themes": found}, language)
        assert problem.name in text and problem.cause in text and problem.measure in text
        assert problem.customer in steps[0] and problem.fix[0] in steps[1] and "“zu laut”" in text
        assert steps[2] == phrases()[language].look["place"].replace("{quote}", "“zu laut”")
        assert parse_suggestions(text) == steps and len(text.split()) <= MOST_WORDS
    _, steps = PLAYBOOK.compose({"text": "Quatsch!"}, language)
    assert steps == [phrases()[language].look["overall"].replace("{quote}", "“Quatsch!”")]
    mention = {"theme": "parking", "evidence": "Quatsch!", "sentiment": "neutral", "score": 0.0}
    _, steps = PLAYBOOK.compose({"text": "Quatsch!", "themes": [mention]}, language)
    assert steps == [phrases()[language].ask]


def context(profile: Profile, warehouse: Warehouse, language: str = "auto") -> Context:
    feedback = dataclasses.replace(profile.feedback, language=language)
    return Context(dataclasses.replace(profile, feedback=feedback), warehouse, f"run-{next(_RUNS)}", "f", Path())


def test_the_language_of_most_reviews_unless_told(warehouse: Warehouse, fake_profile: Profile) -> None:
    assert advice_language(context(fake_profile, warehouse)) == "en", "there are no reviews"
    rows = [review(f"Satz {n}", language="it" if n < 3 else "en") for n in range(5)]
    rows += [review("👍", language="en", rating_only=True, review_id=f"s{n}") for n in range(9)]
    warehouse.append("store.reviews", rows)
    assert advice_language(context(fake_profile, warehouse)) == "it"
    assert advice_language(context(fake_profile, warehouse, "en")) == "en"
    with pytest.raises(InputError, match=r"'xx': advice is written in .*en, .*it.*, or 'auto'"):
        advice_language(context(fake_profile, warehouse, "xx"))


def test_without_phrases_of_the_language_it_is_english(warehouse: Warehouse, fake_profile: Profile) -> None:
    warehouse.append("store.reviews", [review("Зачем?", language="ru")])
    assert advice_language(context(fake_profile, warehouse)) == "en"
