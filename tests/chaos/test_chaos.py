"""A small form of each part of `make chaos`, without a student to train."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import damage, disks, exits, kills, races
from tests.chaos.__main__ import PARTS

# Python 3.12 warns of a fork beside threads of libraries; what is forked here starts none that it waits for.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]


def test_a_killed_command_is_repeated_as_if_nothing_had_happened(tmp_path: Path) -> None:
    few = [scene for scene in kills.SCENES if scene.name in ("first run", "forget")]
    found = kills.survey(tmp_path, 4, scenes=few, student=False)
    assert (found.tried, found.lost) == (4, [])


def test_two_writers_follow_each_other_or_one_wins(tmp_path: Path) -> None:
    found = races.survey(tmp_path, 2)
    assert (found.tried, found.lost) == (2, [])


def test_a_full_disk_harms_nothing(tmp_path: Path) -> None:
    try:
        found = disks.survey(tmp_path, 2, student=False)
    except disks.CannotMount as error:
        pytest.skip(f"no small disk can be mounted: {error}")
    assert (found.tried, found.lost) == (2, [])


def test_damaged_files_are_one_clear_line(tmp_path: Path) -> None:
    few = [
        victim for victim in damage.VICTIMS if victim.file in ("w.duckdb", "w.duckdb.votes", "a.csv", "sources.toml")
    ]
    found = damage.survey(tmp_path, 1, victims=few, student=False)
    assert (found.tried, found.lost) == (len(few), [])


def test_commands_end_with_their_code(tmp_path: Path) -> None:
    few = ("sql, too slow", "bad usage")
    found = exits.survey(tmp_path, 1, {name: exits.COMMANDS[name] for name in few})
    assert (found.tried, found.lost) == (2, [])


def test_the_table_names_each_part_once() -> None:
    assert len({part.name for part in PARTS}) == len(PARTS)
