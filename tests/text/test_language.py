"""Languages are data: one file each, strictly validated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.advice import reply
from pipeline.core.errors import InputError
from pipeline.text import language
from pipeline.text.language import Language, any_of, entries, language_code, languages, read_per_language


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
