"""report, sql: show what the warehouse holds."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import options, show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError
from pipeline.core.queries import PARAMETERS

if TYPE_CHECKING:
    from pipeline.report.build import Report


def report(args: argparse.Namespace) -> int:
    """Writes the report and prints its folder; on stderr, that no review fits the choice, where none does."""
    written = write_report(args, night=False)
    print(written.folder)
    if written.content["scoped"] and not written.content["headline"]["reviews"]:
        print(f"review-insights: no review fits {written.content['scope']}; the report is empty", file=sys.stderr)
    return 0


def write_report(args: argparse.Namespace, night: bool) -> Report:
    """Writes the report described by `options.export`; `night`: for a nightly run."""
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import build
    from pipeline.report.scope import Scope

    scope = Scope(args.business, args.product, args.language, args.since, args.until, tuple(args.segment or ()))
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        return build.write(
            warehouse,
            args.out,
            args.date,
            scope=scope,
            per_business=args.per_business,
            emotion_groups=args.emotion_groups,
            baselines=args.baselines,
            night=night,
            mask=args.mask or ("profile" in args and _masks(args.profile)),
        )


def _masks(profile: str) -> bool:
    from pipeline.core.profile import load

    return load(profile).privacy.mask_exports


def _sql_options(sub: argparse.ArgumentParser) -> None:
    names = "SELECT ..., or @top_pain_points; --list shows the names"
    sub.add_argument("query", metavar="SQL|@NAME", nargs="?", help=names)
    sub.add_argument("--list", action="store_true", help="the named queries, each with the question it answers")
    forms = ("table", "csv", "json", "parquet", "xlsx")
    sub.add_argument("--format", choices=forms, help="default: by the ending of --out, else table")
    sub.add_argument("--out", type=Path, metavar="FILE", help="write there instead of the screen")
    sub.add_argument("--seconds", type=float, default=120.0, metavar="N", help="stop after that long (default: 120)")
    options.filters(sub)
    for name in ("limit", "theme", "words", "id"):
        sub.add_argument(f"--{name}", metavar="N" if name == "limit" else "TEXT", help=PARAMETERS[name])


def sql(args: argparse.Namespace) -> int:
    """Runs a query and shows or writes its rows; with --list, shows the named queries."""
    from pipeline.core import queries
    from pipeline.core.outside import read
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import export
    from pipeline.report.scope import Scope, require_known

    if args.list:
        for name in queries.names():
            print(f"@{name:<26} {queries.load(name).question}")
        return 0
    if not args.query:
        raise InputError('Write a query: sql "SELECT ...", or sql @NAME. Names: review-insights sql --list')
    parameters, form = _parameters(args), _format(args)
    statement = args.query
    if statement.startswith("@"):
        query = queries.load(statement[1:])
        statement, parameters = query.sql, query.bind(parameters)
    warehouse = open_read_only(args.warehouse)
    require_known(warehouse, Scope(segment=tuple(args.segment or ())))
    result = read(warehouse, statement, parameters, seconds=args.seconds)
    if args.out:
        export.write({form: args.out}, result.names, result.types, result.rows)
    elif form == "json":
        export.write_json(sys.stdout, result.names, result.rows)
    elif form == "csv":
        export.write_csv(sys.stdout, result.names, result.rows)
    else:
        show.rows(result.names, result.rows)
    return 0


def _similar_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("text", metavar="TEXT", help='what to look for, such as "the shower was cold"')
    sub.add_argument("--limit", type=int, default=20, metavar="N", help="sentences at most (default: 20)")
    sub.add_argument("--profile", default="embedded", metavar="NAME", help="whose reader read the reviews")
    sub.add_argument("--json", action="store_true", help="as JSON")


def similar(args: argparse.Namespace) -> int:
    """Shows the sentences that say much the same as a text."""
    from pipeline.backends import registry
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.reader.base import vector_of
    from pipeline.themes.similar import similar as closest

    if not args.text.strip() or args.limit < 1:
        raise InputError('Give a text and a number of sentences: similar "the shower was cold" --limit 20')
    warehouse = open_read_only(args.warehouse)
    (reading,) = registry.reader(load(args.profile).reader).read([args.text])
    found = closest(warehouse, vector_of(reading["vector"]), args.limit)
    if args.json:
        show.as_json({"similar": found})
    elif found:
        show.rows(list(found[0]), [tuple(row.values()) for row in found])
    else:
        show.note("no sentence has been read yet: review-insights run")
    return 0


def _parameters(args: argparse.Namespace) -> dict[str, Any]:
    """The query parameters values as options; None for those left out."""
    values = {name: getattr(args, name) for name in PARAMETERS if name in args}
    if values["limit"] is not None:
        if not values["limit"].isdecimal():
            raise InputError("--limit: give a number of rows")
        values["limit"] = int(values["limit"])
    return values


def _format(args: argparse.Namespace) -> str:
    from pipeline.report import export

    form: str = args.format or (args.out.suffix.removeprefix(".") if args.out else "table")
    if args.out and form not in export.FORMATS:
        raise InputError(f"--out {args.out}: name a file that ends in .csv, .json, .parquet or .xlsx, or add --format.")
    if not args.out and form in ("parquet", "xlsx"):
        raise InputError(f"--format {form} goes into a file: add --out FILE.{form}")
    return form


COMMANDS = (
    Command("report", "the nightly export of what the warehouse holds", report, (options.warehouse, options.export)),
    Command(
        "sql",
        "a query over the insights, read-only: SQL, or @NAME for a named one",
        sql,
        (options.warehouse, _sql_options),
    ),
    Command(
        "similar",
        "sentences that say much the same as a text, in any language",
        similar,
        (options.warehouse, _similar_options),
    ),
)
