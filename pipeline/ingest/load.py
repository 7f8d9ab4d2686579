"""ingest: files of any shape -> `reviews` + `rejects`, with every record of the input accounted for.

Reads top to bottom: sources -> records -> rows -> warehouse. A source is ingested in one transaction; an unchanged one
(same bytes, same options) is not read again. Records are identified by what the customer wrote, not by their position
in the file, so a file may grow or be reordered between runs.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from pipeline.ingest import columns, sources
from pipeline.ingest.dates import date_style, parse_date
from pipeline.ingest.formats.record import Broken, ReadOptions, Record
from pipeline.ingest.values import label_names, parse_stars, star_scale, to_five
from pipeline.text.language import detect_languages, language_code
from pipeline.text.repair import repair

VERSION = 2  # raised when the same file would yield different rows
_BATCH = 5000


@dataclass(frozen=True)
class IngestOptions:
    """How to read the input. `mapping`: field -> column, or a+b for a text in two columns."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    zero_based_stars: bool = False
    header: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None


class Content(TypedDict):
    """What a customer wrote, when, and about what."""

    text: str
    stars: float | None  # 1 to 5
    label: str | None  # negative, neutral or positive
    language: str | None  # two letters
    reviewed_at: datetime | None  # without time zone; converted to UTC if the source gave one
    business: str | None
    product: str | None


class ReviewRow(Content):
    """A row of `reviews`."""

    review_id: str
    source: str
    source_row: int  # number of the record, from 1
    ingested_at: datetime
    run_id: str


class RejectRow(TypedDict):
    """A row of `rejects`: a record that did not become a review, as it was in the source."""

    reject_id: str
    source: str
    source_row: int
    reason: str
    raw: str
    review_id: str | None  # the review that it duplicates
    run_id: str


@dataclass(frozen=True)
class Ingested:
    """Counts for one source: rows = accepted + rejected + duplicates; `added` of the accepted are new to the warehouse."""

    source: str
    rows: int
    accepted: int
    added: int
    rejected: int
    duplicates: int
    columns: dict[str, str]


def ingest(
    warehouse: Warehouse,
    reviews: Sequence[str],
    options: IngestOptions,
    run_id: str,
    now: datetime,
    progress: Callable[[str, int], None] = lambda source, done: None,
) -> list[Ingested]:
    """Reads every source into the warehouse. Raises InputError for one that cannot be used; nothing of it is written."""
    spec = hashlib.sha256(json.dumps([VERSION, asdict(options)], sort_keys=True).encode()).hexdigest()[:16]
    result = []
    for source in sources.expand(reviews):
        content = sources.content_hash(source)
        earlier = warehouse.query(
            "SELECT * FROM ingests WHERE source = ? AND content_hash = ? AND spec_hash = ?", [source, content, spec]
        )
        if earlier:
            (row,) = earlier
            counts = {name: row[name] for name in ("source", "rows", "accepted", "rejected", "duplicates")}
            result.append(Ingested(**counts, added=0, columns=json.loads(row["columns"])))
            continue
        with warehouse.transaction():
            ingested = _ingest_source(warehouse, source, options, run_id, now, functools.partial(progress, source))
            row = asdict(ingested) | {"columns": json.dumps(ingested.columns)}
            warehouse.append("ingests", [row | {"content_hash": content, "spec_hash": spec, "run_id": run_id}])
        result.append(ingested)
    return result


def _ingest_source(
    warehouse: Warehouse,
    source: str,
    options: IngestOptions,
    run_id: str,
    now: datetime,
    progress: Callable[[int], None],
) -> Ingested:
    read_options = ReadOptions(options.header, options.encoding, options.delimiter, options.mapping)
    records = list(itertools.islice(sources.read_records(source, read_options), options.limit))
    schema = _Schema.of(source, records, options)
    rows = _Rows(warehouse, source, run_id, now)
    for number, record in enumerate(records, 1):
        content = record.reason if isinstance(record, Broken) else schema.content(record)
        if isinstance(content, str):
            rows.reject(number, record, content)
        else:
            rows.accept(number, record, content)
        if rows.waiting >= _BATCH:
            rows.write()
            progress(number)
    rows.write()
    progress(len(records))
    counts = {name: rows.counts[name] for name in ("accepted", "added", "rejected", "duplicates")}
    return Ingested(source, len(records), columns=schema.columns, **counts)


class _Rows:
    """Collects the new rows of a source for the warehouse, and counts its records, new or not."""

    def __init__(self, warehouse: Warehouse, source: str, run_id: str, now: datetime) -> None:
        self.counts: Counter[str] = Counter()
        self._warehouse, self._source, self._run_id, self._now = warehouse, source, run_id, now
        reviews = warehouse.query("SELECT review_id, source FROM reviews")
        rejects = warehouse.query("SELECT reject_id FROM rejects WHERE source = ?", [source])
        self._held = {row["review_id"]: row["source"] for row in reviews}
        self._held_rejects = {row["reject_id"] for row in rejects}
        self._seen: set[str] = set()
        self._occurrences: Counter[str] = Counter()
        self._reviews: list[ReviewRow] = []
        self._rejects: list[RejectRow] = []

    @property
    def waiting(self) -> int:
        """How many rows are collected and not yet written."""
        return len(self._reviews) + len(self._rejects)

    def accept(self, number: int, record: Record, content: Content) -> None:
        """Adds a review, unless it duplicates one of this or another source."""
        id = review_id(content)
        if id in self._seen or self._held.get(id, self._source) != self._source:
            self.reject(number, record, "duplicate", id)
            return
        self._seen.add(id)
        self.counts["accepted"] += 1
        if id not in self._held:
            self.counts["added"] += 1
            row = ReviewRow(
                **content,
                review_id=id,
                source=self._source,
                source_row=number,
                ingested_at=self._now,
                run_id=self._run_id,
            )
            self._reviews.append(row)

    def reject(self, number: int, record: Record, reason: str, review_id: str | None = None) -> None:
        """Adds a reject. Equal records of a source are numbered, so that each has an id of its own."""
        self.counts["duplicates" if reason == "duplicate" else "rejected"] += 1
        raw = record.raw if isinstance(record, Broken) else json.dumps(record, ensure_ascii=False)
        base = f"{self._source}\0{reason}\0{raw}"
        self._occurrences[base] += 1
        reject_id = _short_hash(f"{base}\0{self._occurrences[base]}")
        if reject_id not in self._held_rejects:
            self._rejects.append(
                RejectRow(
                    reject_id=reject_id,
                    source=self._source,
                    source_row=number,
                    reason=reason,
                    raw=raw,
                    review_id=review_id,
                    run_id=self._run_id,
                )
            )

    def write(self) -> None:
        """Writes the collected rows, with the language detected where the source gave none."""
        for row, language in zip(self._reviews, detect_languages([row["text"] for row in self._reviews]), strict=True):
            row["language"] = row["language"] or language
        self._warehouse.append("reviews", self._reviews)
        self._warehouse.append("rejects", self._rejects)
        self._reviews.clear()
        self._rejects.clear()


def review_id(content: Mapping[str, Any]) -> str:
    """Hash of what the customer wrote, 16 hex digits: of text, stars, date, business and product."""
    date = content["reviewed_at"].isoformat() if content["reviewed_at"] else None
    return _short_hash(json.dumps([content["text"], content["stars"], date, content["business"], content["product"]]))


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


class _Schema:
    """How to interpret one source, decided over all its records: columns, star scale, date order, label values."""

    def __init__(
        self, chosen: dict[str, str], records: Sequence[Mapping[str, str | None]], options: IngestOptions
    ) -> None:
        self._chosen = chosen

        def column(name: str) -> list[str | None]:
            return [record.get(chosen[name]) for record in records] if name in chosen else []

        self._scale = star_scale(map(parse_stars, column("stars")), options.zero_based_stars)
        self._date_style = date_style(column("reviewed_at"))
        self._labels = label_names(column("label"), "label" in options.mapping)
        self.columns = chosen | ({"star_scale": self._scale} if "stars" in chosen else {})

    @classmethod
    def of(cls, source: str, records: Sequence[Record], options: IngestOptions) -> _Schema:
        """The schema of a source. Raises InputError if it has no records or no column can be the text."""
        if not records:
            raise InputError(f"{source} holds no reviews, at most a header. Export it again, or name another file.")
        readable = [record for record in records if isinstance(record, dict)]
        sample = readable[:1000]
        names = list(dict.fromkeys(name for record in sample for name in record))
        return cls(columns.choose(names, options.mapping, sample, source) if readable else {}, readable, options)

    def content(self, record: Mapping[str, str | None]) -> Content | str:
        """The content of a record, or the reason for rejecting it."""
        text = "\n\n".join(filter(None, (repair(record.get(name) or "") for name in self._chosen["text"].split("+"))))
        if not text:
            return "empty text"
        if not any(map(str.isalpha, text)):
            return "no letters"
        title = repair(self._value(record, "title"))
        if title and not text.lower().startswith(title.rstrip(".…! ").lower()):
            text = f"{title}\n\n{text}"
        return Content(
            text=text,
            stars=to_five(parse_stars(self._value(record, "stars")), self._scale),
            label=self._labels.get(self._value(record, "label").lower()),
            language=language_code(self._value(record, "language")),
            reviewed_at=parse_date(self._value(record, "reviewed_at"), self._date_style),
            business=repair(self._value(record, "business")) or None,
            product=repair(self._value(record, "product")) or None,
        )

    def _value(self, record: Mapping[str, str | None], field: str) -> str:
        return (record.get(self._chosen[field]) or "").strip() if field in self._chosen else ""
