"""Files that are cut off or hold flipped bytes: whatever reads them says so in one line, or gives a result without them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import world
from tests.chaos.world import WAREHOUSE, Survey, command, copied, run_command

_ALL = ("a.csv", "b.jsonl", "c.csv")
_RUN = run_command(_ALL)
_SQL = ["sql", "SELECT count(*), max(text), max(feedback) FROM insights", "--warehouse", WAREHOUSE]
_REPORT = ["report", "--warehouse", WAREHOUSE, "--out", "out"]
_TOML = '[[source]]\nreviews = "a.csv"\nbusiness = "Café Blue"\n\n[[source]]\nreviews = "b.jsonl"\nmap = { text = "text" }\n'


@dataclass(frozen=True)
class Victim:
    """A file (a pattern in the folder), and the commands that read it."""

    file: str
    commands: Sequence[Sequence[str]]


VICTIMS = (
    Victim(WAREHOUSE, (_SQL, _REPORT, _RUN)),
    Victim(f"{WAREHOUSE}.work", (_RUN,)),
    Victim(f"{WAREHOUSE}.votes", (_REPORT,)),
    Victim(f"{WAREHOUSE}.salt", (_RUN,)),
    Victim(f"{WAREHOUSE}.models/*/adapter_model.safetensors", (_RUN,)),
    Victim("student/model.safetensors", (_RUN,)),
    Victim("student/tokenizer.json", (_RUN,)),
    Victim("fake.toml", (_RUN,)),
    Victim("recipe.yaml", (_RUN,)),
    Victim("sources.toml", (["run", "--sources", "sources.toml", *_RUN[1 + 2 * len(_ALL) :]],)),
    Victim("a.csv", (_RUN,)),
    Victim("b.jsonl", (_RUN,)),
    Victim("d.xlsx", (run_command(["d.xlsx"]),)),
    Victim("d.parquet", (run_command(["d.parquet"]),)),
)


def survey(
    folder: Path, times: int = 8, seed: int = 0, victims: Sequence[Victim] = VICTIMS, student: bool = True
) -> Survey:
    """Damages each file `times` times, every other time by cutting it off."""
    base = _prepared(world.build(folder / "base", student=student))
    result = Survey()
    cases = [(victim, number) for victim in victims for number in range(times)]

    def one(index: int) -> list[str]:
        victim, number = cases[index]
        with copied(base, folder / f"damaged-{index}") as place:
            (file, *_) = sorted(place.glob(victim.file))
            chance = random.Random(f"{seed} {victim.file} {number}")
            (_cut if number % 2 else _flip)(file, chance)
            return [fault for arguments in victim.commands for fault in _faults(place, arguments)]

    for (victim, number), faults in zip(cases, world.spread(one, len(cases)), strict=True):
        result.add(
            f"{victim.file} {'cut off' if number % 2 else 'with flipped bytes'}, {number} of seed {seed}", faults
        )
    return result


def _faults(place: Path, arguments: Sequence[str]) -> list[str]:
    ended = command(place, arguments)
    if ended.is_clear or (ended.code in (0, 1) and "Traceback" not in ended.err):
        return []
    return [f"{arguments[0]} ended with {ended.code}: {' '.join(ended.err.split())[-400:]}"]


def _cut(file: Path, chance: random.Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(len(content))])


def _flip(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice((1, 8, 64))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def _prepared(base: Path) -> Path:
    """With a published warehouse of two sources, a run in progress, votes and files of other formats."""
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as parquet

    from pipeline.advice import votes
    from pipeline.core.warehouse import salt

    world.warm(base)
    rows = world.reviews(12, 99)
    parquet.write_table(pa.Table.from_pylist(rows), base / "d.parquet")
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.save(base / "d.xlsx")
    (base / "sources.toml").write_text(_TOML, encoding="utf-8")
    for arguments in (run_command(_ALL[:2]), _REPORT):
        if (ended := command(base, arguments)).code not in (0, 1):
            raise AssertionError(ended.err)
    salt(base / WAREHOUSE)
    votes.record(base / WAREHOUSE, "r", "Greet everybody.", "fake", 1, "somebody")
    shutil.copyfile(base / WAREHOUSE, base / f"{WAREHOUSE}.work")
    return base
