"""Languages are data: one file each, strictly validated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.advice import reply
from pipeline.core.errors import InputError
from pipeline.text import language
from pipeline.text.language import (
    Language,
    any_of,
    decide_languages,
    entries,
    language_code,
    languages,
    main_language,
    read_per_language,
)


@pytest.fixture
def more_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folder, to which a test may add languages."""
    for file in language.FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    language.languages.cache_clear()
    yield tmp_path
    language.languages.cache_clear()


@pytest.mark.parametrize("code", languages())
def test_a_file_is_named_by_the_code_that_the_detector_gives(code: str) -> None:
    import lingua

    name = languages()[code].lingua
    assert not name or getattr(lingua.Language, name).iso_code_639_1.name.lower() == code


def test_every_language_of_the_reply_drafts_is_known() -> None:
    assert reply.templates().keys() <= languages().keys()


def test_plain_words_are_plain_and_name_one_month_or_number() -> None:
    for key in ("months", "date_words", "numbers", "abbreviations_at_end", "abbreviations_before_number"):
        assert all(word.isalpha() and word == word.lower() for word in entries(key)), key
    for key in ("months", "numbers"):
        places = {(word, place) for each in languages().values() for place, word in enumerate(getattr(each, key))}
        assert len(places) == len(entries(key)), key


def test_a_new_language_is_one_file(more_languages: Path) -> None:
    (more_languages / "tlh.toml").write_text('name = "Klingon"\ncontrast = ["\'ach"]\nstars = ["hovmey"]\n')
    assert languages()["tlh"].name == "Klingon"
    assert "'ach" in entries("contrast", spaced=True) and "'ach" not in entries("contrast", spaced=False)
    assert re.fullmatch(any_of("stars"), "hovmey") and re.fullmatch(any_of("stars"), "sterne")


def test_no_entries_match_nothing(more_languages: Path) -> None:
    for file in more_languages.iterdir():
        file.write_text(f'name = "{file.stem}"\n')
    assert not re.search(any_of("contrast"), "fine but slow")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "name: "),
        ('name = "X"\nabbreviation = ["mr"]', "abbreviation: "),
        ('name = "X"\nstars = "stars?"', "stars: "),
        ('name = "X"\nmonths = ["january"]', "months: 1 names where a year has 12"),
        ("name =", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "xx.toml").write_text(content)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        read_per_language(tmp_path, Language)
    assert "xx.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_detection() -> None:
    texts = ["The room was clean and the staff were friendly.", "Das Zimmer war leider sehr schmutzig und laut.", "ok"]
    assert language.detect_languages(texts) == ["en", "de", None]
    assert language.detect_languages([]) == []


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ("German", "de"),
        ("deutsch", "de"),
        ("de-DE", "de"),
        ("in_ID", "id"),
        ("iw", "he"),
        ("zh-Hans", "zh"),
        ("Chinese", "zh"),
        ("nb-NO", "nb"),
        ("no", "nb"),
        ("Norwegian", "nb"),
        ("日本語", "ja"),
        ("", None),
        ("N/A", None),
        ("xx", None),
        ("Klingonish", None),
    ],
)
def test_a_declared_language_may_be_a_code_a_locale_or_a_name(declared: str, code: str | None) -> None:
    assert language_code(declared) == code


# --- Deciding for a source ---


def test_without_a_main_or_declared_language_the_detector_decides() -> None:
    texts = ["The room was clean and the staff were friendly.", "Das Zimmer war leider sehr schmutzig und laut.", "ok"]
    assert decide_languages(texts, [None] * 3, None) == ["en", "de", None]
    assert decide_languages([], [], "en") == []


@pytest.mark.parametrize(
    ("text", "main", "code"),
    [
        ("ok", "en", "en"),
        ("Love it!", "en", "en"),
        ("Loved this item.", "en", "en"),
        ("Alles super", "de", "de"),
        ("Отличное место", "en", "ru"),
        ("Очень вкусно", "ru", "ru"),
        ("接客が良い", "ja", "ja"),
        ("Das Zimmer war leider sehr schmutzig und laut.", "en", "de"),
        ("Google บอกว่ามันคือ Android 10", "th", "th"),
        ("Շատ լավ տեղ է", "en", None),
    ],
)
def test_a_text_in_doubt_is_in_the_main_language_of_its_source(text: str, main: str, code: str | None) -> None:
    assert decide_languages([text], [None], main) == [code]


@pytest.mark.parametrize(
    ("text", "declared", "code"),
    [
        ("Nice", "de", "de"),
        ("The room was clean and the staff were friendly to all of us.", "de", "en"),
        ("The room was clean and the staff were friendly to all of us.", "sw", "en"),
        ("Das Zimmer war leider sehr schmutzig und laut, nie wieder.", "en", "de"),
        ("部屋が狭くて、とてもうるさかったです。", "en", "ja"),
        ("Rommet var skittent og veldig bråkete, og frokosten var kald.", "da", "da"),
        ("Værelset var beskidt og meget støjende, og morgenmaden var kold.", "nb", "nb"),
        ("Soba je bila prljava i jako bučna, a doručak je bio hladan.", "hr", "hr"),
        ("L'habitació era bruta i molt sorollosa, i l'esmorzar era fred.", "ca", "ca"),
        ("Khana bahut accha tha aur staff bhi kaafi achha tha, phir aayenge.", "hi", "hi"),
    ],
)
def test_a_declared_language_holds_unless_a_longer_text_is_plainly_in_another(
    text: str, declared: str, code: str
) -> None:
    assert decide_languages([text], [declared], "en") == [code]


def test_the_main_language_has_most_of_the_letters() -> None:
    german = ["Das Zimmer war leider sehr schmutzig und laut.", "Das Frühstück war hervorragend, wir kommen wieder."]
    english = ["The room was clean and the staff were friendly.", "Breakfast was cold, and nobody apologised for it."]
    assert main_language([*german, "ok", "super"]) == "de"
    assert main_language(german + english) is None
    assert main_language(["ok", "12"]) is None and main_language([]) is None
    assert main_language((german * 3 + english) * 1000) == "de"
