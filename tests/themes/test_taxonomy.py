"""The shipped playbook file and those of users."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.themes.taxonomy import GENERAL, PLAYBOOK, Taxonomy, load_aspects, load_taxonomy, renamed, written
from pipeline.themes.terms import find_mentions

ASPECTS = load_aspects()
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "da", "nl", "zh", "ja")

VALID = """
[[aspect]]
id = "queue"
label = "Queue"
steps = ["Open a second till.", "Show the wait.", "Greet those who wait."]
terms.en = ["queue*", "stood in line"]

[[aspect]]
id = "general"
label = "Overall"
steps = ["Read it.", "Discuss it.", "Reply to it."]
"""


EXAMPLES = [f"They ran out of the seats by the window, row {row}." for row in range(5)]


def playbook_with(line: str) -> str:
    """A valid playbook whose theme "queue" has a line more."""
    return VALID.replace("terms.en =", f"{line}\nterms.en =")


def playbook_without_terms(line: str) -> str:
    return re.sub("terms.en = .*", line, VALID)


def load(tmp_path: Path, text: str) -> Taxonomy:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    return load_taxonomy(file)


def test_the_shipped_playbook_is_complete() -> None:
    assert len(ASPECTS) == 85
    assert ASPECTS[-1].id == GENERAL
    for aspect in ASPECTS:
        assert 4 <= len(aspect.steps) <= 6, aspect.id
        for line in aspect.steps:
            assert line[0].isupper() and line.endswith(".") and len(line.split()) <= 25, line
        if aspect.id != GENERAL:
            terms = dict(aspect.terms)
            assert tuple(terms) == LANGUAGES, aspect.id
            assert len(terms["en"]) >= 12, aspect.id


def test_every_shipped_aspect_has_a_group_and_every_group_an_aspect() -> None:
    taxonomy = load_taxonomy()
    assert {aspect.parent for aspect in taxonomy.aspects} == set(taxonomy.groups)
    assert all(set(aspect.trades) < set(taxonomy.trades) for aspect in taxonomy.aspects)
    assert {"hotel", "bank_app", "home_service"} < set(taxonomy.trades) and len(taxonomy.trades) == 21


def test_a_theme_that_splits_an_older_one_names_it() -> None:
    older = renamed(ASPECTS)
    ids = {aspect.id for aspect in ASPECTS}
    assert len(older) == 14 and older["missing_item"] == "wrong_item" and "wrong_item" not in older
    assert set(older.values()) <= ids - set(older)


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


def test_a_theme_of_ones_own_says_its_group_its_trades_and_what_it_splits(tmp_path: Path) -> None:
    keys = 'parent = "entrance"\ntrades = ["hotel", "gym"]\nwas = "waiting_time"'
    tables = '\n[[group]]\nid = "entrance"\nlabel = "At the door"\n[[trade]]\nid = "gym"\nlabel = "Our gyms"\n'
    taxonomy = load(tmp_path, playbook_with(keys) + tables)
    queue, general = taxonomy.aspects
    assert (queue.parent, queue.trades, queue.was) == ("entrance", ("hotel", "gym"), "waiting_time")
    assert (general.parent, general.trades, general.was) == (None, (), None)
    assert renamed(taxonomy.aspects) == {"queue": "waiting_time"}
    shipped = load_taxonomy()
    assert taxonomy.groups == {**shipped.groups, "entrance": "At the door"}
    assert taxonomy.trades == {**shipped.trades, "gym": "Our gyms"}


def test_the_shipped_groups_and_trades_hold_in_a_file_that_lists_none(tmp_path: Path) -> None:
    taxonomy = load(tmp_path, playbook_with('parent = "people"\ntrades = ["salon"]'))
    assert (taxonomy.groups, taxonomy.trades) == (load_taxonomy().groups, load_taxonomy().trades)


def test_a_file_of_a_trade_takes_the_shipped_themes_that_occur_there(tmp_path: Path) -> None:
    own = playbook_with("").replace('id = "general"', 'id = "waiting_time"')
    taxonomy = load(tmp_path, f'of_trade = "salon"\nwithout = ["wifi"]\n{own}')
    ids = [aspect.id for aspect in taxonomy.aspects]
    assert taxonomy.trade == "salon" and ids[:2] == ["queue", "waiting_time"] and ids[-1] == GENERAL
    assert len(ids) == len(set(ids)), "its own take the place of shipped ones"
    expected = {aspect.id for aspect in ASPECTS if not aspect.trades or "salon" in aspect.trades}
    assert set(ids) == {"queue", *expected} - {"wifi"} and "flight_delay" not in ids
    alone = load(tmp_path, 'of_trade = "salon"\n')
    assert {aspect.id for aspect in alone.aspects} == expected


def test_what_a_file_of_a_trade_says_includes_what_it_takes(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(VALID)
    assert written(file) == VALID
    file.write_text('of_trade = "salon"\n')
    assert written(file) == file.read_text() + PLAYBOOK.read_text()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('of_trade = "moon base"', "'of_trade' names the trade 'moon base'"),
        ("of_trade = 1", "'of_trade' names the trade 1"),
        ('without = ["wifi"]', "there is no 'of_trade'"),
        ('of_trade = "salon"\nwithout = ["wify"]', "'without' names the aspect 'wify'"),
        ('of_trade = "salon"\nwithout = "wifi"', "'without' must list"),
        ('of_trade = "salon"\nwithout = ["general"]', "'general' cannot be left out"),
    ],
)
def test_errors_of_a_file_of_a_trade(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        load(tmp_path, f"{line}\n{VALID}")


def test_examples_or_a_description_stand_in_for_terms(tmp_path: Path) -> None:
    queue, _ = load(tmp_path, playbook_without_terms(f"examples = {json.dumps(EXAMPLES)}")).aspects
    assert (queue.examples, queue.description, queue.terms) == (tuple(EXAMPLES), "", ())
    queue, _ = load(tmp_path, playbook_without_terms('description = "How long people stand in line."')).aspects
    assert (queue.examples, queue.description, queue.terms) == ((), "How long people stand in line.", ())
    assert find_mentions("An endless queue.", "en", (queue,)) == []


def test_a_shipped_id_needs_neither(tmp_path: Path) -> None:
    renamed_id = playbook_without_terms("").replace('id = "queue"', 'id = "waiting_time"')
    assert load(tmp_path, renamed_id).aspects[0].terms == ()


def test_all_mistakes_of_a_playbook_come_in_one_message(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        VALID.replace('label = "Queue"', 'label = "Queue"\ncolour = "red"').replace("terms.en", "terms.english")
        + """
[[aspect]]
id = "queue"
label = "Two\\nlines"
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
        (playbook_without_terms("terms = 3"), "'terms' must list words and phrases per language"),
        (
            playbook_with('parent = "poeple"'),
            "aspect queue: 'parent' names the group 'poeple', which is none of digital,",
        ),
        (playbook_with("parent = ['people']"), "'parent' names the group ['people']"),
        (playbook_with('trades = ["hotel", "pub"]'), "'trades' names the trade 'pub', which is none of airline, app,"),
        (playbook_with("trades = []"), "'trades' must list at least one trade"),
        (playbook_with('trades = "hotel"'), "'trades' must list at least one trade"),
        (playbook_with('was = "Waiting time"'), "'was' must be the id of another aspect"),
        (playbook_with('was = "queue"'), "'was' must be the id of another aspect"),
        (
            playbook_with(f"examples = {json.dumps(EXAMPLES[:4])}"),
            "'examples' must list at least 5 different sentences",
        ),
        (playbook_with(f"examples = {json.dumps(EXAMPLES[:1] * 5)}"), "'examples' must list at least 5 different"),
        (playbook_with('ratings = "Seat Comfort"'), "'ratings' must list names of columns"),
        (playbook_with("examples = [1, 2, 3, 4, 5]"), "'examples' must list sentences, each one line of text"),
        (playbook_with('description = " "'), "'description' must be one line of text"),
        (VALID + 'description = "Everything else."', "aspect general: 'general' takes no description"),
        (VALID + '[[group]]\nid = "own"\nlabel = ""', "group own: 'label' must be one line"),
        (VALID + '[[group]]\nid = "own"\nlabel = "Own"\nicon = "x"', "group own: unknown key 'icon'"),
        (VALID + '[[group]]\nid = "own"\nlabel = "Own"\n' * 2, "group own: written twice"),
        (VALID + '[[trade]]\nid = "pub"\nlabel = "Pubs"', "[[trade]] names the trade 'pub', which is none of airline,"),
        ("group = 3\n" + VALID, "'group' is not a list of tables (write [[group]])"),
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
