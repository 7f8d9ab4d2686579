"""The shipped playbook file and those of users."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.themes.taxonomy import GENERAL, load_aspects
from pipeline.themes.terms import find_mentions

ASPECTS = load_aspects()
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "da", "nl", "zh", "ja")

VALID = """
[[aspect]]
id = "queue"
label = "Queue"
acknowledge = ["The queue was long: {quote}."]
steps = ["Open a second till.", "Show the wait.", "Greet those who wait."]
terms.en = ["queue*", "stood in line"]

[[aspect]]
id = "general"
label = "Overall"
acknowledge = ["They write: {quote}."]
steps = ["Read it.", "Discuss it.", "Reply to it."]
"""


def test_the_shipped_playbook_is_complete() -> None:
    assert len(ASPECTS) >= 33
    assert ASPECTS[-1].id == GENERAL
    for aspect in ASPECTS:
        assert 2 <= len(aspect.acknowledge) <= 3 and 4 <= len(aspect.steps) <= 6, aspect.id
        for line in (*aspect.acknowledge, *aspect.steps):
            assert line[0].isupper() and line.endswith(".") and len(line.split()) <= 25, line
        if aspect.id != GENERAL:
            terms = dict(aspect.terms)
            assert tuple(terms) == LANGUAGES, aspect.id
            assert len(terms["en"]) >= 12, aspect.id


def test_no_step_promises_money_or_admits_fault() -> None:
    for aspect in ASPECTS:
        for step in aspect.steps:
            assert not any(
                word in step.lower() for word in ("our fault", "liable", "liability", "full refund", "we will pay")
            )


def test_a_playbook_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(VALID)
    aspects = load_aspects(file)
    assert [aspect.id for aspect in aspects] == ["queue", "general"]
    assert dict(aspects[0].terms) == {"en": ("queue*", "stood in line")}
    assert [mention.aspect_id for mention in find_mentions("Endless queues.", "en", aspects)] == ["queue"]
    file.write_text(VALID.replace("queue*", "till*"))
    # A long-running process sees the edit at once.
    assert find_mentions("Endless queues.", "en", load_aspects(file)) == []


def test_all_mistakes_of_a_playbook_come_in_one_message(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        VALID.replace('label = "Queue"', 'label = "Queue"\ncolour = "red"')
        .replace("terms.en", "terms.english")
        .replace('acknowledge = ["They write: {quote}."]', 'acknowledge = ["They write {quotation}."]')
        + """
[[aspect]]
id = "queue"
label = "Two\\nlines"
acknowledge = ["{quote}"]
steps = ["Only one."]
terms = {en = [], de = ["*"], fr = ["a*b"]}
"""
    )
    with pytest.raises(InputError) as caught:
        load_aspects(file)
    message = str(caught.value)
    for part in (
        "unknown key 'colour'",
        "'english' is not a two-letter code",
        "unknown slot {quotation}",
        "must hold {quote}",
        "queue: written twice",
        "'label' must be one line",
        "'steps' must list at least 3",
        "'terms.en' is empty",
        "'terms.de' has '*'",
        "'terms.fr' has 'a*b'",
    ):
        assert part in message, part
    assert "\n" not in message and "bad.toml" in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (VALID.replace("general", "other"), "no aspect 'general'"),
        (VALID.replace("[[aspect]]", "[[aspects]]"), "unknown key 'aspects'"),
        ("aspect = 3", "not a list of tables"),
        ("[[aspect]", "cannot be read"),
        (VALID.replace('"stood in line"', '"Queue"'), "term 'queue' (en) is listed by queue and queue"),
        (VALID.replace("terms.en", "#"), "'terms' must list"),
    ],
)
def test_a_broken_playbook_is_one_clear_line(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_aspects(file)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_playbook_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml cannot be read"):
        load_aspects(tmp_path / "none.toml")
