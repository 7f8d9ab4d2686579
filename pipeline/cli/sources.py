"""sources, forget: what has been read, how it was understood, and taking it out again."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import options, show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.core.warehouse import Warehouse
    from pipeline.tools.forget import Findings

_DECODED = ("layouts", "fields", "decisions")


def _sources_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name", metavar="NAME", nargs="?", help="show how this source was understood")


def sources(args: argparse.Namespace) -> int:
    """Lists the sources of a warehouse, or shows how one of them was understood."""
    from pipeline.core.warehouse import open_read_only

    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        rows = warehouse.query("SELECT * FROM sources ORDER BY source")
    for row in rows:
        row.update({name: json.loads(row[name]) for name in _DECODED})
    if args.name:
        rows = [_named(args.name, rows)]
    if args.json:
        show.as_json({"sources": rows})
    elif args.name:
        show.understood(rows, to_stderr=False)
    else:
        listed = "\n".join(line for row in rows for line in _listed(row))
        print(show.printable(listed) or "nothing has been read yet")
    return 0


def _named(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of a source by its name, or by its file's name where only one has it."""
    from pipeline.tools.forget import near

    same = [row for row in rows if row["source"] == name] or [row for row in rows if Path(row["source"]).name == name]
    if len(same) != 1:
        raise InputError(f"{name}: no source is called that. {near(name, [row['source'] for row in rows])}")
    if same[0]["source"] != name:
        show.note(f"its full name is {same[0]['source']}")
    return same[0]


def _listed(row: dict[str, Any]) -> list[str]:
    from pipeline.report.sources import counts

    export = f", known export: {row['export']}" if row["export"] else ""
    return [row["source"], f"    {counts(row)}", f"    read at {row['read_at']:%Y-%m-%d %H:%M} UTC{export}"]


def _forget_options(sub: argparse.ArgumentParser) -> None:
    def several(name: str, metavar: str, help: str) -> None:
        sub.add_argument(f"--{name}", action="append", default=[], metavar=metavar, help=f"{help}; repeatable")

    several("source", "NAME", "a source, as `sources` lists it, with all its reviews; or the word sample")
    several("review", "ID", "one review, by its review_id or native_id")
    several("author", "NAME", "all reviews of an author, by name or by hash")
    several("adapter", "NAME", "an adapter that was trained on what is forgotten: the next run trains anew")
    options.out(sub)
    sub.add_argument("--yes", action="store_true", help="do not ask")


def forget(args: argparse.Namespace) -> int:
    """Shows what would be removed, asks, and removes it."""
    from pipeline.tools import forget as forgetting

    request = forgetting.Request(args.source, args.review, args.author, args.adapter)
    if not any(asdict(request).values()):
        raise InputError(
            "Say what to forget: --source NAME, --review ID or --author NAME. See: review-insights sources"
        )
    places = forgetting.Places(args.out, args.baselines)
    with forgetting.opened(args.warehouse) as warehouse:
        findings = forgetting.find(warehouse, request, places)
        if not args.json:
            print(show.printable("\n".join(_lines(findings, args.warehouse))))
        if not args.yes:
            _ask(warehouse, findings, args.json)
        forgetting.forget(warehouse, findings, places)
    report = forgetting.renew_report(args.warehouse, findings, places)
    if args.json:
        show.as_json({**asdict(findings), "report": report})
    else:
        print(f"forgotten; {args.warehouse} is a new file" + (f", and so is {report}" if report else ""))
    return 0


def _ask(warehouse: Warehouse, findings: Findings, as_json: bool) -> None:
    """Raises InputError unless a person agrees."""
    if as_json:
        show.as_json(asdict(findings))
    if as_json or not sys.stdin.isatty():
        raise InputError("Nothing was removed. To remove this for good, add --yes")
    if input("Remove all this for good? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("Nothing was removed.")


def _lines(findings: Findings, warehouse: Path) -> list[str]:
    """What goes, and what has to be done besides."""
    counts = {
        "reviews": findings.reviews,
        "versions of reviews": findings.versions,
        "reviews that another source keeps": findings.shared,
        "rejects and duplicates": findings.rejects,
        **{f"rows of {table.removeprefix('store.')}": count for table, count in findings.derived.items()},
        "votes": findings.votes,
        "records of uploaded files": findings.uploads,
    }
    lines = [f"source {source}" for source in findings.sources]
    lines += [f"{name}: {count:,}" for name, count in counts.items() if count]
    lines += [f"report {path}, as a whole" for path in findings.reports]
    lines += [f"figures in {path}" for path in findings.baselines]
    lines += [f"adapter {name}; the next run trains anew" for name in findings.dropped]
    for adapter in findings.adapters:
        command = ["review-insights", "forget", "--adapter", adapter.adapter, "--warehouse", str(warehouse)]
        lines.append(
            f"stays: adapter {adapter.adapter}, which was trained on {adapter.trained_on} of these reviews and validated on "
            f"{adapter.validated_on}. To delete it, so that the next run trains anew: {shlex.join(command)}"
        )
    lines += [
        f"note: {source} was read by an older version, whose ids may be others: look again after the next run"
        for source in findings.unsure
    ]
    return lines


COMMANDS = (
    Command(
        "sources",
        "what has been read, and how it was understood",
        sources,
        (options.warehouse, _sources_options, options.as_json),
    ),
    Command(
        "forget",
        "remove a source, a review or an author from the warehouse, the reports and all else that keeps them",
        forget,
        (options.warehouse, _forget_options, options.baselines, options.as_json),
    ),
)
