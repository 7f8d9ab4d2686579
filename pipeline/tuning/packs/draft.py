"""A pack drafted from a file of reviews: what its customers speak of, in their words, and what its stars can tune.

The shipped themes of the trade are taken as they stand. What unhappy customers mention besides, the stage `discover` finds;
its sentences become the examples of themes of the pack's own. A person then words remedies and problems.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core import pack
from pipeline.core.errors import InputError
from pipeline.core.labels import from_stars
from pipeline.core.profile import load
from pipeline.core.warehouse import Warehouse, open_read_only
from pipeline.ingest.understanding import IngestOptions
from pipeline.report.export import neutralise
from pipeline.run import run
from pipeline.text import private
from pipeline.themes.taxonomy import MIN_EXAMPLES, load_taxonomy
from pipeline.tuning.packs import heads

MOST_SENTENCES = 8  # of a theme
EXAMPLES = 4  # reviews of each sentiment
SHORT = 280  # characters of a review that is an example
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_STEPS = (  # of a theme that nobody has worded remedies for: true of any
    "Read the reviews about this together once a month, and write down what they have in common.",
    "Agree with the team on one change that would have spared most of these customers, and on who makes it.",
    "Count the reviews about this before and after the change, and tell customers what is different now.",
)


@dataclass(frozen=True)
class Drafted:
    """A pack that was made: its folder, and what is in it in words."""

    folder: Path
    lines: list[str]


def draft(
    name: str,
    reviews: Sequence[str],
    options: IngestOptions,
    trade: str,
    out: Path,
    head: str = "",
    profile: str = "embedded",
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Drafted:
    """Reads the reviews, and writes the pack to `out`, which appears in one step.

    `trade`: a trade of the playbook; "": the pack's name is one. `head`: a base model to tune on the stars, "" for none. `profile`:
    that reads the reviews.
    Raises InputError for a name or trade that cannot be, a folder that exists, and what `run` raises for unusable reviews.
    """
    trade, reads = trade or name, load(profile)
    _require(name, trade, out)
    with tempfile.TemporaryDirectory(prefix="review-insights-") as scratch:
        warehouse_path = Path(scratch) / "pack.duckdb"
        run(reviews, warehouse_path, reads, options, until="discover", progress=progress)
        partial = Path(scratch) / "pack"
        partial.mkdir()
        with contextlib.closing(open_read_only(warehouse_path)) as warehouse:
            tuned, told = heads.tune(warehouse, partial, reads.sentiment, head, Path(scratch), progress)
            lines = _write(partial, name, trade, warehouse, tuned, told)
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out.with_name(f"{out.name}.partial")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(partial, beside)
        os.replace(beside, out)
    return Drafted(out, lines)


def _require(name: str, trade: str, out: Path) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f"A pack cannot be called {name!r}: take lower case letters, digits, - and _.")
    trades = load_taxonomy().trades
    if trade not in trades:
        raise InputError(f"--trade {trade}: there is no such trade. Trades: {', '.join(trades)}.")
    if out.exists():
        raise InputError(f"{out} exists. Name another folder with --out, or remove it.")


def _write(
    folder: Path,
    name: str,
    trade: str,
    warehouse: Warehouse,
    tuned: Mapping[str, Any],
    told: str,
) -> list[str]:
    themes = _discovered(warehouse)
    spoken = warehouse.query(
        "SELECT theme, count(*) AS n FROM themes WHERE theme <> '' GROUP BY theme ORDER BY n DESC, theme LIMIT 12"
    )
    (folder / pack.PLAYBOOK).write_text(_playbook(name, trade, themes, spoken), encoding="utf-8")
    examples = _examples(warehouse)
    if examples:
        with (folder / pack.EXAMPLES).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("text", "label", "themes"), *examples])
    (folder / pack.FILE).write_text(_pack(name, trade, tuned), encoding="utf-8")
    own = ", ".join(theme["label"] for theme in themes) or "none was found"
    shipped = sum(not aspect.trades or trade in aspect.trades for aspect in load_taxonomy().aspects)
    return [
        f"themes: {shipped} shipped ones of the trade {trade}; of its own: {own}",
        f"examples: {len(examples)}, labelled by their stars: correct those where these mislead",
        f"sentiment: {told}",
        "It holds sentences of your customers, with names, addresses and numbers masked: read them before you share it.",
        f"Then word remedies and problems in {pack.PLAYBOOK}, and try it with: review-insights pack check FOLDER",
    ]


# --- Themes of its own ---


def _discovered(warehouse: Warehouse) -> list[dict[str, Any]]:
    """{"id", "label", "examples"} of each discovered theme with enough different sentences, the most frequent first."""
    taken = {aspect.id for aspect in load_taxonomy().aspects}
    found = []
    for row in warehouse.query("SELECT theme, name, words FROM discovered_themes ORDER BY reviews DESC, theme"):
        sentences = warehouse.query(
            "SELECT evidence FROM discover WHERE theme = ? ORDER BY closeness DESC, review_id, place", [row["theme"]]
        )
        said = [_line(one["evidence"]) for one in sentences]
        examples = list(dict.fromkeys(text for text in said if 15 <= len(text) <= SHORT))[:MOST_SENTENCES]
        if len(examples) >= MIN_EXAMPLES:
            theme = _id(row["words"], taken)
            taken.add(theme)
            found.append({"id": theme, "label": row["name"], "examples": examples})
    return found


def _line(text: str) -> str:
    return " ".join(private.masked(text).split())


def _id(words: Sequence[str], taken: set[str]) -> str:
    """Of these words, and none of `taken`."""
    stem = "_".join(re.sub(r"[^a-z0-9]", "", word.lower()) for word in words) or "theme"
    candidates = (stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in candidates if one not in taken)


def _playbook(name: str, trade: str, themes: Sequence[Mapping[str, Any]], spoken: Sequence[Mapping[str, Any]]) -> str:
    often = ", ".join(f"{row['theme']} {row['n']}" for row in spoken) or "none"
    lines = [
        f"# The themes and problems of the pack {name}. How they are written: pipeline/themes/playbook.toml, docs/advice.md.",
        f"# Most spoken of in the reviews it was drafted from: {often}.",
        "",
        "# The shipped themes that occur in this trade, as they stand. List those that you do not want in `without`.",
        f"of_trade = {_toml(trade)}",
        "without = []",
    ]
    for theme in themes:
        lines += ["", "# Found in the reviews. Word its label, and steps that fit this trade."]
        lines += ["[[aspect]]", f"id = {_toml(theme['id'])}", f"label = {_toml(theme['label'])}"]
        lines += _listed("steps", _STEPS) + _listed("examples", theme["examples"])
    lines += ["", *(line.replace("TRADE", trade) for line in _PROBLEM)]
    return "\n".join(lines) + "\n"


_PROBLEM = """\
# A problem of your trade that the library lacks: one kind of thing that goes wrong, and what to do about it.
# [[problem]]
# id = "one_kind_of_thing"
# theme = "waiting_time"
# name = "What the report calls it"
# trades = ["TRADE"]
# severity = 2
# say.en = ["As a customer writes it.", "As another does.", "And a third."]
# not = ["A sentence that shares words with it and is no case of it."]
# cause = "What usually lies behind it."
# customer = "What to do for this customer now."
# fix = ["What to do for good."]
# measure = "The number that shows whether it helps."
# who = "manager"
# effort = "talk"
# reply_say = "What a public reply must say."
# reply_avoid = "What it must not say.\"""".splitlines()


def _listed(key: str, values: Sequence[str]) -> list[str]:
    return [f"{key} = [", *(f"  {_toml(value)}," for value in values), "]"]


def _toml(value: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


# --- Examples ---


def _examples(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    """Short reviews with the sentiment that their stars say: rows of `pack.EXAMPLES`; none without stars."""
    rows = warehouse.query(
        "SELECT text, stars FROM reviews WHERE stars IS NOT NULL AND NOT rating_only AND length(text) BETWEEN 20 AND ? "
        "ORDER BY md5(review_id)",
        [SHORT],
    )
    by_label: dict[str, list[str]] = {}
    for row in rows:
        by_label.setdefault(from_stars(row["stars"]), []).append(_line(row["text"]))
    return [
        (str(neutralise(text)), label, "")
        for label, texts in sorted(by_label.items())
        for text in dict.fromkeys(texts[:EXAMPLES])
    ]


# --- pack.toml ---


def _pack(name: str, trade: str, tuned: Mapping[str, Any]) -> str:
    lines = [
        f"# Use it in a profile: pack = {_toml(name)} (or the path of this folder). Check it: review-insights pack check FOLDER",
        f"name = {_toml(name)}",
        f"description = {_toml(load_taxonomy().trades[trade])}",
        'licence = "all rights reserved"   # before you share it, say what others may do with it',
    ]
    if tuned:
        lines += ["", "[sentiment]", *(f"{key} = {json.dumps(value)}" for key, value in tuned.items())]
    return "\n".join(lines) + "\n"
