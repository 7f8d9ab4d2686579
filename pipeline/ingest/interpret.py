"""A record of an understood source as what a customer wrote, or the reason why it is none."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from pipeline.core.errors import InputError
from pipeline.ingest import identity
from pipeline.ingest.columns import FIELDS
from pipeline.ingest.dates import describe, parse_date
from pipeline.ingest.understanding import DATES, IngestOptions, Understanding
from pipeline.ingest.values import describe_scale, parse_stars, to_five
from pipeline.text.cleaning import LONGEST_TEXT, bounded, is_filler, own_words
from pipeline.text.language import language_code, languages
from pipeline.text.repair import repair

_PARSED = ("stars", "label", "language", *DATES)  # fields whose values may not be understood
_ENOUGH = 0.8  # of the values of a mapped column must be understood
_TOTAL_WORDS = """
    average avg mean total totals sum count durchschnitt mittelwert gesamt summe moyenne promedio media totale média gemiddelde
    totaal średnia suma genomsnitt gennemsnit gjennomsnitt ortalama toplam среднее итого 平均 合计 合計 평균 합계
"""
_TOTALS = frozenset(_TOTAL_WORDS.split())
_LONGEST_VALUE = 1_000  # characters; no rating, date, language or id is longer
_LONGEST_RAW = 4 * LONGEST_TEXT  # of a text with its tags and blanks
_SAMPLES = 3
_SAMPLE_LENGTH = 60

_Parser = Callable[[str], "tuple[Any] | None"]  # None for a word that means "nothing"


class Content(TypedDict):
    """What a customer wrote, when, and about what: columns of `reviews`."""

    review_id: str
    text: str
    liked: str | None
    disliked: str | None
    language: str | None  # ISO 639-1, as declared by the source
    stars: float | None  # 1 to 5
    label: str | None  # negative, neutral or positive
    rating_only: bool
    reviewed_at: datetime | None  # without time zone; converted to UTC if the source gave one
    business: str | None
    product: str | None
    author: str | None
    reply: str | None
    replied_at: datetime | None
    attributes: dict[str, str] | None
    native_id: str | None


@dataclass
class Field:
    """One field of a source: where it was taken from and how well it was understood."""

    name: str
    column: str | None
    how: str = ""  # the date order, the star scale
    filled: int = 0
    understood: int = 0
    samples: list[str] = field(default_factory=list)  # as read
    misunderstood: list[str] = field(default_factory=list)  # as written

    def count(self, written: str, read: object) -> None:
        """Counts a value that the column holds; `read`: None if it was not understood."""
        self.filled += 1
        if read is None:
            if len(self.misunderstood) < _SAMPLES and written not in self.misunderstood:
                self.misunderstood.append(written[:_SAMPLE_LENGTH])
            return
        self.understood += 1
        if len(self.samples) < _SAMPLES and (shown := _shown(read)) not in self.samples:
            self.samples.append(shown)


class Interpreter:
    """Interprets the records of one source, and counts how well that goes."""

    def __init__(self, understanding: Understanding, options: IngestOptions, salt: bytes) -> None:
        decisions, export = understanding.decisions, understanding.export
        self._understanding, self._options, self._salt = understanding, options, salt
        self._columns = {name: column.split("+") for name, column in decisions.columns.items()}
        self._fillers = {filler.lower() for filler in export.fillers} if export else set()
        self._platform = export.platform if export else ""
        self.fields = {name: Field(name, decisions.columns.get(name)) for name in FIELDS}
        for name, style in decisions.dates.items():
            self.fields[name].how = describe(style)
        self.cut = 0  # texts that were too long
        self._parsers: Mapping[str, _Parser] = {
            "stars": _parser(lambda value: to_five(parse_stars(value), decisions.scale)),
            "label": _parser(lambda value: decisions.labels.get(value.lower())),
            "language": _parser(language_code),
            **{name: _parser(functools.partial(parse_date, style=style)) for name, style in decisions.dates.items()},
        }
        if "stars" in decisions.columns:
            converted = "" if decisions.scale in ("1-5", "unknown") else ", read as 1 to 5"
            self.fields["stars"].how = describe_scale(decisions.scale, []) + converted
        if "language" not in decisions.columns:
            main = decisions.language and languages()[decisions.language].name
            self.fields["language"].how = "detected in each text" + (f", mostly {main}" if main else "")

    def content(self, record: Mapping[str, str | None]) -> Content | str:
        """The content of a record, or the reason for rejecting it."""
        liked, disliked = self._text(record, "liked"), self._text(record, "disliked")
        text = self._whole_text(record, liked, disliked)
        values = {name: self._parsed(record, name) for name in _PARSED}
        words = any(map(str.isalpha, text))
        if not words and values["stars"] is None and values["label"] is None:
            return "no letters" if text else "empty text"
        if not words and _is_total(record):
            return "a line of totals"
        business = self._text(record, "business") or self._options.business
        product = self._text(record, "product")
        native = identity.native_id(self._written(record, "id"))
        author = self._author_name(record)
        return Content(
            review_id=identity.native_review_id(self._platform, native, text)
            if native
            else identity.review_id(
                text, self._written(record, "stars"), self._written(record, "reviewed_at"), business, product
            ),
            text=text,
            liked=liked,
            disliked=disliked,
            rating_only=not words,
            business=business,
            product=product,
            author=self._counted("author", author, identity.author_hash(author, self._salt)) if author else None,
            reply=self._text(record, "reply"),
            attributes=self._attributes(record),
            native_id=self._native_key(native) if native else None,
            stars=values["stars"],
            label=values["label"],
            language=values["language"],
            reviewed_at=values["reviewed_at"],
            replied_at=values["replied_at"],
        )

    def author(self, record: Mapping[str, str | None]) -> str | None:
        """The author of a record as `content` has it, without counting it."""
        return identity.author_hash(self._author_name(record), self._salt)

    def fail_if_misunderstood(self) -> None:
        """Raises InputError for a column that the user mapped and whose values are not understood."""
        for item in self.fields.values():
            if item.filled and self._options.mapping.get(item.name) and item.understood < _ENOUGH * item.filled:
                raise InputError(
                    f"--map {item.name}={item.column}: {item.filled - item.understood} of {item.filled} values are not "
                    f"understood, such as {', '.join(map(repr, item.misunderstood))}. Map another column, or none: "
                    f"--map {item.name}="
                )

    def notes(self) -> list[str]:
        """What people should know, beyond what was known before the records were interpreted."""
        notes = [
            f"{item.name}: {item.filled - item.understood:,} of {item.filled:,} values of {item.column} are not understood, "
            f"such as {', '.join(map(repr, item.misunderstood))}"
            for item in self.fields.values()
            if item.understood < item.filled
        ]
        if self.cut:
            notes.append(f"text: {self.cut:,} cut at {LONGEST_TEXT:,} characters")
        return [*self._understanding.notes, *notes]

    # --- One record ---

    # The two places where a value is taken from a record: no pattern sees more of one than these let through.

    def _written(self, record: Mapping[str, str | None], name: str) -> str:
        value = (record.get(self._columns[name][0]) or "") if name in self._columns else ""
        return value[:_LONGEST_VALUE].strip()

    def _author_name(self, record: Mapping[str, str | None]) -> str:
        return own_words(self._written(record, "author"))

    def _text(self, record: Mapping[str, str | None], name: str) -> str | None:
        """The repaired text of a field, its columns joined; None if there is none."""
        if name not in self._columns:
            return None
        written = [(record.get(column) or "")[:_LONGEST_RAW] for column in self._columns[name]]
        parts = [repair(value) if value else "" for value in written]
        text = "\n\n".join(part for part in parts if part and part.lower() not in self._fillers)
        short = bounded(text)
        self.cut += len(short) < len(text) or any(len(value) == _LONGEST_RAW for value in written)
        return self._counted(name, text, short) if short else None

    def _whole_text(self, record: Mapping[str, str | None], liked: str | None, disliked: str | None) -> str:
        """The title in front, unless the text begins with it; then the text, what was liked and what was not."""
        text = "\n\n".join(filter(None, (self._text(record, "text"), liked, disliked)))
        title = self._text(record, "title")
        if title and not text.lower().startswith(title.rstrip(".…! ").lower()):
            text = f"{title}\n\n{text}" if text else title
        return text

    def _parsed(self, record: Mapping[str, str | None], name: str) -> Any:
        written = self._written(record, name)
        parsed = self._parsers[name](written) if written else None
        return self._counted(name, written, parsed[0]) if parsed else None

    def _counted(self, name: str, written: str, read: Any) -> Any:
        self.fields[name].count(written, read)
        return read

    def _native_key(self, native: str) -> str:
        self._counted("id", native, native)
        return identity.native_key(self._platform, self._understanding.source, native)

    def _attributes(self, record: Mapping[str, str | None]) -> dict[str, str] | None:
        kept = {name: " ".join(value.split()) for name in self._understanding.attributes if (value := record.get(name))}
        return {name: value for name, value in kept.items() if value} or None


def _is_total(record: Mapping[str, str | None]) -> bool:
    """Whether a record begins with "Average" or its like, and half of it is empty."""
    filled = [value.strip() for value in record.values() if value and value.strip()]
    return 2 * len(filled) <= len(record) and filled[0].lower().rstrip(" :") in _TOTALS


def _parser(parse: Callable[[str], Any]) -> _Parser:
    """`parse`, remembering what it has seen, for values other than NULL and its like."""

    @functools.lru_cache(100_000)
    def parsed(written: str) -> tuple[Any] | None:
        return None if is_filler(written) else (parse(written),)

    return parsed


def _shown(value: object) -> str:
    text = (
        f"{value:%Y-%m-%d}" if isinstance(value, datetime) else f"{value:g}" if isinstance(value, float) else str(value)
    )
    text = " ".join(text.split())
    return text if len(text) <= _SAMPLE_LENGTH else f"{text[: _SAMPLE_LENGTH - 1]}…"


def summary(fields: Mapping[str, Field]) -> Sequence[dict[str, Any]]:
    """The fields as plain JSON values."""
    return [vars(item) for item in fields.values()]
