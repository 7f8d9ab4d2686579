"""ingest: files of any shape -> `reviews` + `rejects`, with every record of the input accounted for.

Reads top to bottom: a source is understood, then its records are interpreted, then they take the place of what the source
said before. All of it happens in one transaction; an unchanged source (same bytes, same options) is not read again.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypedDict

from pipeline.core.warehouse import Warehouse, salt, sql_file
from pipeline.ingest import forgotten, identity, sources
from pipeline.ingest.formats.cells import with_objects
from pipeline.ingest.formats.record import Broken, Item, ReadOptions, Record, Tally, is_record
from pipeline.ingest.interpret import Content, Interpreter, summary
from pipeline.ingest.understanding import Decisions, IngestOptions, Understanding, understand
from pipeline.text.language import decide_languages

VERSION = 5  # raised when the same file would yield different rows
_BATCH = 5000
_MEMORY = "256MiB"  # of the database while a source is read, beside Python's own


class RejectRow(TypedDict):
    """A record that did not become a review, as it was in the source."""

    reject_id: str
    source_row: int
    reason: str
    raw: str | None  # None for what was forgotten
    review_id: str | None  # the review that it duplicates
    kept_source: str | None  # and that review's source


@dataclass(frozen=True)
class Ingested:
    """A source as the view `sources` has it: rows = accepted + rejected + duplicates + rating_only; `added` and `withdrawn`:
    reviews that this reading brought and took away.
    """

    source: str
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    rating_only: int
    added: int
    withdrawn: int
    export: str | None
    layouts: Sequence[dict[str, Any]]
    fields: Sequence[dict[str, Any]]  # like interpret.Field
    attributes: Sequence[str]
    unused: Sequence[str]
    notes: Sequence[str]

    @property
    def columns(self) -> dict[str, str]:
        """Field -> column, of the fields that were found."""
        return {field["name"]: field["column"] for field in self.fields if field["column"]}


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
    changes: dict[str, dict[str, int]] = {}
    for address in sources.expand(reviews):
        with sources.opened(address) as source:
            changes[source.name] = {"added": 0, "withdrawn": 0}
            held = warehouse.query("SELECT * FROM sources WHERE source = ?", [source.name])
            if held and (held[0]["content_hash"], held[0]["spec_hash"]) == (source.content_hash, spec):
                continue
            reading = _Reading(warehouse, source, options, run_id, held[0] if held else None)
            with warehouse.bounded_memory(_MEMORY), warehouse.transaction():
                changes[source.name] = reading.write(now, spec, functools.partial(progress, source.name))
    rows = {row["source"]: row for row in warehouse.query("SELECT * FROM sources")}
    return [_ingested(rows[name] | change) for name, change in changes.items()]


def _ingested(row: dict[str, Any]) -> Ingested:
    """A row of the view `sources`, its JSON columns decoded."""
    decoded = row | {name: json.loads(row[name]) for name in ("layouts", "fields")}
    return Ingested(**{field.name: decoded[field.name] for field in fields(Ingested)})


class _Reading:
    """One reading of a source: its new reviews and rejects are collected in temp tables, then put in place in one step."""

    def __init__(
        self,
        warehouse: Warehouse,
        source: sources.Opened,
        options: IngestOptions,
        run_id: str,
        earlier: dict[str, Any] | None,
    ) -> None:
        self._warehouse, self._source, self._options, self._run_id = warehouse, source, options, run_id
        self._earlier = earlier
        # What is appended may hold a record again that was rejected before.
        self._reader = f"{source.name}#{run_id}" if options.append else source.name
        decisions = Decisions.from_json(json.loads(earlier["decisions"])) if earlier else None
        self._understanding: Understanding = understand(source.name, self._items(), options, decisions)
        self._interpreter = Interpreter(self._understanding, options, salt(warehouse.path))
        self._forgotten_authors = forgotten.authors(warehouse)
        # review_id -> its first author, None where nothing tells customers apart; where there are further ones, all of them
        self._seen: dict[int, str | None] = {}
        self._more: dict[int, set[str | None]] = {}
        self._occurrences: Counter[str] = Counter()
        self._reviews: list[dict[str, Any]] = []
        self._rejects: list[RejectRow] = []
        self._rows = 0
        self._counted: int | None = None  # records, by the readers' tallies

    def _items(self) -> Iterator[Item]:
        options = self._options
        mapping = {field: column for field, column in options.mapping.items() if column}
        items = self._source.items(ReadOptions(options.header, options.encoding, options.delimiter, mapping))
        return map(with_objects, items)

    def _records(self) -> Iterator[Record]:
        for item in self._items():
            if isinstance(item, Tally):
                self._counted = (self._counted or 0) + item.records
            elif is_record(item):
                yield item

    def write(self, now: datetime, spec_hash: str, progress: Callable[[int], None]) -> dict[str, int]:
        """Reads all records and writes what they say. Returns how many reviews were added and withdrawn."""
        warehouse = self._warehouse
        warehouse.execute(sql_file("ingest", "prepare.sql"))
        warehouse.append(
            "reading",
            [{"source": self._source.name, "run_id": self._run_id, "read_at": now, "append": self._options.append}],
        )
        for number, record in enumerate(itertools.islice(self._records(), self._options.limit), 1):
            self._take(number, record)
            if len(self._reviews) + len(self._rejects) >= _BATCH:
                self._flush()
                progress(number)
        self._rows = number
        self._flush()
        progress(number)
        self._interpreter.fail_if_misunderstood()
        for file in ("replace.sql", "settle.sql", "recompute.sql"):
            warehouse.execute(sql_file("ingest", file))
        gone = [*warehouse.query("FROM refused"), *warehouse.query("FROM expired")]
        forgotten.remove_samples(summary(self._interpreter.fields), gone)
        (change,) = warehouse.query("FROM changes")
        warehouse.execute(
            "DELETE FROM store.sources WHERE source = ? AND run_id = ?", [self._source.name, self._run_id]
        )
        warehouse.append("store.sources", [self._as_row(now, spec_hash) | change])
        return change

    def _take(self, number: int, record: Record) -> None:
        """A review, unless it repeats one of this reading; or a reject."""
        if isinstance(record, Broken):
            self._reject(number, record.raw, record.reason)
            return
        content = self._interpreter.content(record)
        if isinstance(content, str) and self._interpreter.author(record) in self._forgotten_authors:
            self._reject(number, None, "forgotten")
        elif isinstance(content, str):
            self._reject(number, json.dumps(record, ensure_ascii=False), content)
        elif self._is_repeated(content):
            raw = json.dumps(record, ensure_ascii=False)
            self._reject(number, raw, "duplicate", content["review_id"])
        else:
            self._reviews.append({**content, "source_row": number})

    def _is_repeated(self, content: Content) -> bool:
        """Whether this reading had the review already. The same words of two authors are two reviews, and so are two ratings
        without words where nothing tells whose they are.
        """
        if content["rating_only"] and not content["native_id"] and not content["author"]:
            return False
        id, author = int(content["review_id"], 16), None if content["native_id"] else content["author"]
        if id not in self._seen:
            self._seen[id] = author
            return False
        others = self._more.setdefault(id, {self._seen[id]})
        repeated = author in others
        others.add(author)
        return repeated

    def _reject(self, number: int, raw: str | None, reason: str, review_id: str | None = None) -> None:
        written = raw or ""
        key = identity.short_hash(reason + written)
        self._occurrences[key] += 1
        self._rejects.append(
            RejectRow(
                reject_id=identity.reject_id(self._reader, reason, written, self._occurrences[key]),
                source_row=number,
                reason=reason,
                raw=raw,
                review_id=review_id,
                kept_source=self._source.name if review_id else None,
            )
        )

    def _flush(self) -> None:
        """Hands the collected rows to the warehouse, their languages decided."""
        texts, declared = ([row[name] for row in self._reviews] for name in ("text", "language"))
        languages = decide_languages(texts, declared, self._understanding.decisions.language)
        for row, language in zip(self._reviews, languages, strict=True):
            row["language"] = language
        self._warehouse.append("incoming", self._reviews)
        self._warehouse.append("incoming_rejects", self._rejects)
        self._reviews.clear()
        self._rejects.clear()

    def _as_row(self, now: datetime, spec_hash: str) -> dict[str, Any]:
        """The row of `store.sources`."""
        understanding = self._understanding
        before = self._earlier if self._earlier and self._options.append else {}
        return {
            "source": self._source.name,
            "run_id": self._run_id,
            "read_at": now,
            "content_hash": self._source.content_hash,
            "spec_hash": spec_hash,
            "rows": before.get("rows", 0) + self._rows,
            "counted": None if self._counted is None else self._counted + (before.get("counted") or 0),
            "export": understanding.export.name if understanding.export else None,
            "layouts": json.dumps([asdict(layout) for layout in understanding.layouts]),
            "fields": json.dumps(summary(self._interpreter.fields)),
            "attributes": list(understanding.attributes),
            "unused": list(understanding.unused),
            "decisions": json.dumps(understanding.decisions.to_json()),
            "notes": self._interpreter.notes(),
        }
