"""An uploaded file: its records, read as in `ingest`, and its results, written as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.stage import Row
from pipeline.core.warehouse import open_memory
from pipeline.ingest.load import Ingested, ingest
from pipeline.ingest.understanding import IngestOptions
from pipeline.report.export import neutralise
from pipeline.service.analyze import AnalysisRow, ReviewRow
from pipeline.service.problems import dumped

_PIECE = 200  # records that pass from one process to another at once: while they do, no request is answered
COLUMNS = (
    *("source_row", "status", "reason", "review_id", "business", "product", "reviewed_at", "language", "stars", "text"),
    *("sentiment", "sentiment_score", "emotions", "themes", "evidence", "feedback", "suggestions", "reply"),
)


@dataclass(frozen=True)
class Record:
    """A record of an uploaded file, and what became of it."""

    source_row: int  # from 1
    status: Literal["analyzed", "rejected", "duplicate"]
    reason: str | None  # why it is not analyzed
    review: ReviewRow | None


def read_records(
    upload: Path, mapping: Mapping[str, str], max_rows: int, max_text: int
) -> tuple[list[Record], Ingested]:
    """(every record of an upload, in its order; how the upload was understood).

    Stars without words and a review of more than `max_text` characters are rejected: there is nothing to analyse, or too much. Raises InputError for a file that cannot be read, or has more
    than `max_rows` rows.
    """
    warehouse = open_memory()
    try:
        options = IngestOptions(mapping=dict(mapping), limit=max_rows + 1)
        (source,) = ingest(warehouse, [str(upload)], options, "service", now())
        if source.rows > max_rows:
            raise InputError(f"The file has more than {max_rows} rows. Split it, or use: review-insights run")
        records = [_record(row, max_text) for row in warehouse.query("SELECT * FROM reviews")]
        records += [
            Record(row["source_row"], "duplicate" if row["reason"] == "duplicate" else "rejected", row["reason"], None)
            for row in warehouse.query("SELECT source_row, reason FROM rejects")
        ]
    except InputError as error:  # the path is ours, not the client's
        raise InputError(str(error).replace(str(upload), "The file")) from None
    finally:
        warehouse.close()
    return sorted(records, key=lambda record: record.source_row), source


def pieces(upload: Path, mapping: Mapping[str, str], max_rows: int, max_text: int) -> Iterator[Ingested | list[Record]]:
    """How an upload was understood, then its records, some at a time. Raises like `read_records`."""
    records, source = read_records(upload, mapping, max_rows, max_text)
    yield source
    for start in range(0, len(records), _PIECE):
        yield records[start : start + _PIECE]


def _record(row: Row, max_text: int) -> Record:
    if row["rating_only"]:
        return Record(row["source_row"], "rejected", "stars without words", None)
    if len(row["text"]) > max_text:
        return Record(row["source_row"], "rejected", f"longer than {max_text} characters", None)
    review: ReviewRow = {
        "review_id": row["review_id"],
        "text": row["text"],
        "stars": row["stars"],
        "language": row["language"],
        "reviewed_at": row["reviewed_at"],
        "business": row["business"],
        "product": row["product"],
    }
    return Record(row["source_row"], "analyzed", None, review)


def result(record: Record, analysis: AnalysisRow | None) -> Row:
    """A row of the results: source_row, status and reason, and the analysis if there is one."""
    reason = record.reason
    if analysis and analysis["read_to"] is not None:
        reason = f"only its first {analysis['read_to']} characters were read"
    return {"source_row": record.source_row, "status": record.status, "reason": reason, **(analysis or {})}


def read_results(path: Path) -> Iterator[Row]:
    """One row per line: source_row, status, reason, and the analysis if there is one. Raises OSError at once."""
    lines = path.open(encoding="utf-8")

    def rows() -> Iterator[Row]:
        with lines:
            for line in lines:
                yield json.loads(line)

    return rows()


def as_json(rows: Iterator[Row]) -> Iterator[str]:
    """A JSON array, one row per line."""
    yield "["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + dumped(row)
    yield "\n]\n"


def as_csv(rows: Iterator[Row]) -> Iterator[str]:
    """CSV with a byte order mark for spreadsheets, and no cell that they would run as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield "\ufeff" + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([neutralise(cell) for cell in map(_flat(row).get, COLUMNS)])
        yield buffer.getvalue()


def _flat(row: Row) -> Row:
    if row["status"] != "analyzed":
        return row
    sentiment, feedback = row["sentiment"], row["feedback"] or {}
    score = None if sentiment["positive"] is None else sentiment["positive"] - sentiment["negative"]
    return row | {
        "sentiment": sentiment["label"],
        "sentiment_score": score,
        "emotions": "; ".join(row["emotions"]["labels"]),
        "themes": "; ".join(theme["theme"] for theme in row["themes"]),
        "evidence": "; ".join(theme["evidence"] for theme in row["themes"] if theme["sentiment"] == "negative"),
        "feedback": feedback.get("text"),
        "suggestions": "; ".join(feedback.get("suggestions") or []),
    }
