"""ingest: files of any shape -> `reviews` + `rejects`, with every record of the input accounted for.

Reads top to bottom: sources -> records -> rows -> warehouse. A source goes in as one transaction; one that has not
changed since (same bytes, same options) is not read again. Records are told apart by what the customer wrote, not by
their place in the file, so a file may grow or be sorted anew between two runs.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from pipeline.core.warehouse import Warehouse
from pipeline.ingest import columns, sources
from pipeline.ingest.formats.record import Broken, ReadOptions, Record
from pipeline.ingest.values import day_first, label_names, parse_date, parse_stars, star_scale, to_five
from pipeline.text.language import detect_languages
from pipeline.text.repair import repair

VERSION = 1  # raised when the same file would give other rows
_BATCH = 5000


@dataclass(frozen=True)
class IngestOptions:
    """How the input is to be read. `mapping` is field -> column, or a+b for a text in two halves."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    zero_based_stars: bool = False
    header: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True)
class Ingested:
    """One source: rows = accepted + rejected + duplicates; `added` of the accepted are new to the warehouse."""

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
    """Reads every source into the warehouse. Raises InputError, with nothing of that source written."""
    spec = hashlib.sha256(json.dumps([VERSION, asdict(options)], sort_keys=True).encode()).hexdigest()[:16]
    result = []
    for source in sources.expand(reviews):
        content = sources.content_hash(source)
        known = warehouse.query(
            "SELECT * FROM ingests WHERE source = ? AND content_hash = ? AND spec_hash = ?", [source, content, spec]
        )
        if known:
            (row,) = known
            kept = {name: row[name] for name in ("source", "rows", "accepted", "rejected", "duplicates")}
            result.append(Ingested(**kept, added=0, columns=json.loads(row["columns"])))
            continue
        with warehouse.transaction():
            done = _ingest_source(warehouse, source, options, run_id, now, functools.partial(progress, source))
            row = asdict(done) | {"columns": json.dumps(done.columns)}
            warehouse.append("ingests", [row | {"content_hash": content, "spec_hash": spec, "run_id": run_id}])
        result.append(done)
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
    records: list[Record] = []
    for record in sources.read_records(source, read_options, warehouse):
        if options.limit is not None and len(records) == options.limit:
            break
        records.append(record)
    whole = [record for record in records if isinstance(record, dict)]
    names = list(dict.fromkeys(name for record in whole[:1000] for name in record))
    chosen = columns.choose(names, options.mapping, whole[:1000], source) if whole else {}
    shape = _Shape(chosen, whole, options)

    held = {row["review_id"]: row["source"] for row in warehouse.query("SELECT review_id, source FROM reviews")}
    known_rejects = {
        row["reject_id"] for row in warehouse.query("SELECT reject_id FROM rejects WHERE source = ?", [source])
    }
    seen: set[str] = set()
    occurrences: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    fresh: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []

    def reject(number: int, reason: str, record: Record, review_id: str | None = None) -> None:
        raw = record.raw if isinstance(record, Broken) else json.dumps(record, ensure_ascii=False)
        base = f"{source}\0{reason}\0{raw}"
        occurrences[base] += 1
        reject_id = hashlib.sha256(f"{base}\0{occurrences[base]}".encode(errors="surrogatepass")).hexdigest()[:16]
        counts["duplicates" if reason == "duplicate" else "rejected"] += 1
        if reject_id not in known_rejects:
            rejects.append({"reject_id": reject_id, "source": source, "source_row": number, "reason": reason, "raw": raw,
                            "review_id": review_id, "run_id": run_id})  # fmt: skip

    def flush() -> None:
        for row, language in zip(fresh, detect_languages([row["text"] for row in fresh]), strict=True):
            row["language"] = row["language"] or language
        warehouse.append("reviews", fresh)
        warehouse.append("rejects", rejects)
        fresh.clear()
        rejects.clear()

    for number, record in enumerate(records, 1):
        if isinstance(record, Broken):
            reject(number, record.reason, record)
            continue
        row, reason = shape.review(record)
        if reason:
            reject(number, reason, record)
            continue
        review_id = row["review_id"]
        if review_id in seen or held.get(review_id, source) != source:
            reject(number, "duplicate", record, review_id)
            continue
        seen.add(review_id)
        counts["accepted"] += 1
        if review_id not in held:
            counts["added"] += 1
            fresh.append(row | {"source": source, "source_row": number, "ingested_at": now, "run_id": run_id})
        if len(fresh) + len(rejects) >= _BATCH:
            flush()
            progress(number)
    flush()
    progress(len(records))
    return Ingested(
        source,
        len(records),
        counts["accepted"],
        counts["added"],
        counts["rejected"],
        counts["duplicates"],
        shape.columns,
    )


def review_id(row: Mapping[str, Any]) -> str:
    """What the customer wrote, hashed: 16 hex digits over text, stars, date, business and product."""
    moment = row["reviewed_at"].isoformat() if row["reviewed_at"] else None
    content = [row["text"], row["stars"], moment, row["business"], row["product"]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


class _Shape:
    """How one source is to be understood, decided over all its records: star scale, date order, label values."""

    def __init__(
        self, chosen: dict[str, str], records: Sequence[Mapping[str, str | None]], options: IngestOptions
    ) -> None:
        self.chosen = chosen

        def column(name: str) -> list[str | None]:
            return [record.get(chosen[name]) for record in records] if name in chosen else []

        self.scale = star_scale(map(parse_stars, column("stars")), options.zero_based_stars)
        self.day_first = day_first(column("reviewed_at"))
        self.labels = label_names(column("label"), "label" in options.mapping)
        self.columns = chosen | ({"star_scale": self.scale} if "stars" in chosen else {})

    def review(self, record: Mapping[str, str | None]) -> tuple[dict[str, Any], str | None]:
        """(row of `reviews`, reason for rejecting it or None)."""

        def value(field: str) -> str | None:
            return (record.get(self.chosen[field]) or "").strip() or None if field in self.chosen else None

        halves = [repair(record.get(column) or "") for column in self.chosen["text"].split("+")]
        text = "\n\n".join(half for half in halves if half)
        if not text:
            return {}, "empty text"
        if not any(map(str.isalpha, text)):
            return {}, "no letters"
        title = repair(value("title") or "")
        if title and not text.lower().startswith(title.rstrip(".…! ").lower()):
            text = f"{title}\n\n{text}"
        language = (value("language") or "").lower()[:2] or None
        row: dict[str, Any] = {
            "text": text,
            "stars": to_five(parse_stars(value("stars")), self.scale),
            "reviewed_at": parse_date(value("reviewed_at"), self.day_first),
            "business": repair(value("business") or "") or None,
            "product": repair(value("product") or "") or None,
        }
        row["review_id"] = review_id(row)
        label = self.labels.get((value("label") or "").lower())
        return row | {"label": label, "language": language if language and language.isalpha() else None}, None
