"""The options of commands that read reviews, and how they understand them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import show
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.ingest.load import Ingested
    from pipeline.ingest.sources_file import Source
    from pipeline.ingest.understanding import IngestOptions

    Reviews = Sequence[str] | Sequence[Source]

SOURCES_FILE = Path("sources.toml")


def reviews(sub: argparse.ArgumentParser) -> None:
    """Which reviews, and how to read them."""
    sub.add_argument(
        "--reviews",
        action="append",
        metavar="WHAT",
        help="file, glob, folder, hf:NAME[:CONFIG][:SPLIT], or an address: https://, s3://, gs://, postgres://, sqlite://; "
        "repeatable (default: those of sources.toml, else the bundled sample)",
    )
    sub.add_argument(
        "--sources", type=Path, metavar="FILE", help="a TOML file of sources, each with options of its own"
    )
    sub.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds what, e.g. text=body or text=pros+cons; FIELD= if none does; repeatable",
    )
    sub.add_argument(
        "--dates", choices=("dmy", "mdy"), help="what 3/4/2026 means (default: decided over the whole file)"
    )
    sub.add_argument(
        "--scale", metavar="LOW-HIGH", help="the scale of the stars, e.g. 0-10 (default: decided over the whole file)"
    )
    sub.add_argument(
        "--zero-based-stars", action="store_const", dest="scale", const="0-4", help="the same as --scale 0-4"
    )
    sub.add_argument("--encoding", metavar="NAME", help="of text files, e.g. gb18030 or cp1250 (default: detected)")
    sub.add_argument("--delimiter", metavar="CHARACTER", help="between cells, or the word tab (default: detected)")
    sub.add_argument("--limit", type=int, metavar="N", help="only the first N records of each source")
    sub.add_argument(
        "--append",
        action="store_true",
        help="the file holds only what is new: keep reviews of this source that are not in it",
    )
    sub.add_argument("--dry-run", action="store_true", help="show how the reviews would be understood, and stop")
    sub.add_argument("--retry-failed", action="store_true", help="try rows again that ended in an error")


def ingest_options(args: argparse.Namespace) -> IngestOptions:
    """The options as `ingest` takes them. Raises InputError for one that cannot be used."""
    from pipeline.ingest.understanding import IngestOptions
    from pipeline.ingest.values import SCALES

    if args.scale and args.scale not in SCALES:
        raise InputError(f"--scale {args.scale}: there is no such scale. Scales: {', '.join(SCALES)}.")
    if args.limit is not None and args.limit < 1:
        raise InputError("--limit: give a number of records, 1 or more")
    delimiter = "\t" if args.delimiter in ("tab", "\\t") else args.delimiter
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InputError(f"--delimiter {args.delimiter}: give one character, for instance --delimiter ';', or tab")
    return IngestOptions(
        mapping=mapping_of(args.map),
        limit=args.limit,
        encoding=args.encoding,
        delimiter=delimiter,
        dates=args.dates,
        scale=args.scale,
        append=args.append,
    )


def mapping_of(items: list[str]) -> dict[str, str]:
    """FIELD=COLUMN pairs as a mapping. Raises InputError for what is none."""
    mapping = {}
    for item in items:
        field, equals, column = item.partition("=")
        if not equals or not field:
            raise InputError(f"--map {item}: write FIELD=COLUMN, for instance --map text=body, or FIELD= for none")
        mapping[field] = column
    return mapping


def chosen(args: argparse.Namespace) -> Reviews:
    """What --reviews names, else --sources, else ./sources.toml where there is one, else the bundled sample."""
    from pipeline.core import assets
    from pipeline.ingest.sources_file import load_sources

    if args.reviews and args.sources:
        raise InputError("Give --reviews or --sources, not both.")
    if args.reviews:
        reviews: list[str] = args.reviews
        return reviews
    file = sources_file(args)
    return load_sources(file) if file else [str(assets.SAMPLE)]


def sources_file(args: argparse.Namespace) -> Path | None:
    """--sources, else ./sources.toml where there is one."""
    given: Path | None = args.sources
    return given or (SOURCES_FILE if SOURCES_FILE.is_file() else None)


def dry_run(args: argparse.Namespace) -> int:
    """Shows how the reviews would be understood, as by their first reading; writes nothing."""
    from pipeline.core.provenance import now
    from pipeline.core.warehouse import open_memory
    from pipeline.run import ingest_all

    sources = ingest_all(open_memory(), chosen(args), ingest_options(args), "dry run", now())
    if args.json:
        show.as_json({"sources": as_rows(sources)})
    else:
        show.understood(as_rows(sources), to_stderr=False)
    return 0


def as_rows(sources: Sequence[Ingested]) -> list[dict[str, Any]]:
    """Sources as rows of the view `sources`."""
    return [vars(source) for source in sources]
