"""ZIP archives of reviews."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import formats
from pipeline.ingest.formats import decode
from pipeline.ingest.formats.record import Broken, Item, Layout, ReadOptions, Tally

COLD = "text,stars\nCold soup,1\n"
WARM = '[{"text": "Warm soup", "stars": 5}]'


def read(path: Path, members: dict[str, str]) -> list[Item]:
    file = path / "export.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in members.items():
            book.writestr(name, content)
    return [item for item in formats.read(file, ReadOptions()) if not isinstance(item, Tally)]


def test_each_member_of_a_known_format_is_a_part(tmp_path: Path) -> None:
    members = {
        "data/a.csv": COLD,
        "b.JSON": f'{{"list": {WARM}}}',
        "picture.png": "x",
        "README.txt": "About",
        "c.zip": "",
    }
    assert read(tmp_path, members) == [
        Layout("utf-8", ",", 1, "data/a.csv"),
        {"text": "Cold soup", "stars": "1"},
        Layout("utf-8", part="b.JSON: list"),
        {"text": "Warm soup", "stars": "5"},
        Broken("c.zip", "c.zip was not read: it is an archive in an archive"),
    ]


def test_of_a_takeout_only_the_reviews_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, {"Takeout/Maps/Saved.json": '[{"title": "Inn"}]', "Takeout/Maps/Reviews.json": WARM})
    assert [item.part for item in found if isinstance(item, Layout)] == ["Takeout/Maps/Reviews.json"]


def test_a_member_that_cannot_be_read_is_reported_by_its_name(tmp_path: Path) -> None:
    found = read(tmp_path, {"a.csv": COLD, "broken.json": "[1"})
    assert isinstance(found[-1], Broken)
    assert found[-1].raw == "broken.json" and "broken.json is not valid JSON" in found[-1].reason
    assert str(tmp_path) not in found[-1].reason.replace("export.zip", "")


def test_a_name_that_leads_out_of_the_folder_is_only_a_name(tmp_path: Path) -> None:
    layout, record = read(tmp_path, {"../../evil.csv": COLD})
    assert isinstance(layout, Layout) and layout.part == "../../evil.csv"
    assert record == {"text": "Cold soup", "stars": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["export.zip"]
    assert not (tmp_path.parent.parent / "evil.csv").exists()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"picture.png": "x"}, "no file in it is of a known format"),
        ({}, "no file in it is of a known format"),
        ({"a.json": "[1"}, "a.json is not valid JSON"),
        ({"a.csv": "text,stars\n"}, "its files hold no records"),
    ],
)
def test_an_archive_that_cannot_be_used_is_one_clear_line(tmp_path: Path, members: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, members)
    assert "\n" not in str(caught.value)


def test_a_limit_on_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_MOST_UNPACKED", 20)
    with pytest.raises(InputError, match="Unpack it yourself"):
        read(tmp_path, {"a.csv": COLD})


def test_a_damaged_archive_is_one_clear_line(tmp_path: Path) -> None:
    read(tmp_path, {"a.csv": COLD * 50})
    content = (tmp_path / "export.zip").read_bytes()
    for damaged in (content[:50], content[:40] + b"\xff" * 20 + content[60:], b"no archive"):
        (tmp_path / "damaged.zip").write_bytes(damaged)
        with pytest.raises(InputError, match="not a ZIP file that can be read"):
            list(formats.read(tmp_path / "damaged.zip", ReadOptions()))
