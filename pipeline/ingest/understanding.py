"""How a source is understood: one look at all of its records decides what holds for each of them.

What was decided is kept with the source, so that new rows of a growing file never change how the old ones are read.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest import columns
from pipeline.ingest.attributes import is_copy
from pipeline.ingest.dates import DateStyle, contradictions, date_style, describe, parse_date
from pipeline.ingest.exports import Export, recognise
from pipeline.ingest.formats.record import Broken, Item, Layout, is_record
from pipeline.ingest.names import plain
from pipeline.ingest.values import (
    describe_scale,
    label_names,
    parse_stars,
    star_scale,
    unfit,
    unknown_labels,
)
from pipeline.text.language import main_language
from pipeline.text.repair import repair

DATES = ("reviewed_at", "replied_at")
# Columns that say when a source was made, as `names.plain` spells them.
_MADE_AT = frozenset(
    [
        "scrapedat",
        "scrapedate",
        "scrapetime",
        "scrapeddate",
        "crawledat",
        "crawldate",
        "crawltime",
        "extractedat",
        "extractiondate",
        "retrievedat",
        "retrievaldate",
        "fetchedat",
        "downloadedat",
        "collectedat",
        "exportedat",
        "exportdate",
    ]
)
_MOST_COLUMNS = 20_000  # a sheet has at most 16,384
_SAMPLE = 1000  # records by which columns are chosen
_SAMPLED = 1000  # characters of each of their values
MOST_ATTRIBUTES = 50  # columns
_DISTINCT = 50_000  # values of a column that a decision is based on


@dataclass(frozen=True)
class IngestOptions:
    """How to read a source; what is not said is decided by the source itself.

    `mapping`: field -> column, a+b for a text in two columns, or "" for none. `append`: the source holds only what is new.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    header: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    dates: str | None = None  # dmy or mdy
    scale: str | None = None  # a star scale, such as 0-10
    append: bool = False
    business: str | None = None  # for a source that has no column for it


@dataclass(frozen=True)
class Decisions:
    """What holds for every record of a source."""

    columns: Mapping[str, str]  # field -> column
    dates: Mapping[str, DateStyle]  # of DATES
    scale: str
    labels: Mapping[str, str]  # value -> sentiment
    language: str | None  # that most of it is written in

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for `from_json`."""
        return asdict(self) | {"dates": {name: style.to_json() for name, style in self.dates.items()}}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Decisions | None:
        """The decisions of an earlier reading; None if it kept none."""
        if not document:
            return None
        return cls(**{**document, "dates": {k: DateStyle.from_json(v) for k, v in document["dates"].items()}})


@dataclass(frozen=True)
class Understanding:
    """How a source was understood. `attributes`: columns kept as such; `notes`: what people should know."""

    source: str
    layouts: Sequence[Layout]
    export: Export | None
    decisions: Decisions
    attributes: Sequence[str]
    unused: Sequence[str]
    notes: Sequence[str]


@dataclass
class _Survey:
    """What one pass over a source gathers."""

    names: dict[str, None] = field(default_factory=dict)  # of columns, in order
    layouts: list[Layout] = field(default_factory=list)
    sample: list[Mapping[str, str | None]] = field(default_factory=list)
    values: dict[str, Counter[str]] = field(default_factory=dict)  # column -> distinct values
    records: int = 0


def understand(
    source: str, items: Iterable[Item], options: IngestOptions, earlier: Decisions | None = None
) -> Understanding:
    """Decides how to read a source. `earlier`: what its last reading decided, which holds where the columns are the same and
    the user does not say otherwise.

    Raises InputError if it has no records or more columns than a table can have, or no column can be the text.
    """
    survey = _survey(source, items, options.limit)
    if not survey.records:
        raise InputError(f"{source} holds no reviews, at most a header. Export it again, or name another file.")
    names = list(survey.names)
    export = recognise(names)
    chosen = columns.choose(names, options.mapping, survey.sample, source, export) if names else {}
    deciding = _Deciding(survey, chosen, export, options, earlier)
    decisions = deciding.decisions()
    used = {name for value in decisions.columns.values() for name in value.split("+")}
    sampled = {name: [row.get(name) for row in survey.sample] for name in names}
    attributes = columns.attributes(names, decisions.columns, export, sampled)[:MOST_ATTRIBUTES]
    unused = _unused(names, used.union(attributes), sampled)
    notes = [*_encodings(survey.layouts), *deciding.notes]
    return Understanding(source, survey.layouts, export, decisions, attributes, unused, notes)


def _encodings(layouts: Iterable[Layout]) -> Iterator[str]:
    """What to say of texts in two encodings."""
    for mixed in dict.fromkeys(layout.encoding for layout in layouts if "/" in (layout.encoding or "")):
        first, _, second = str(mixed).partition("/")
        yield f"encoding: some lines are not in {first}; they are read as {second}. If they are garbled: --encoding NAME"


def _unused(names: Sequence[str], kept: set[str], values: Mapping[str, Sequence[str | None]]) -> list[str]:
    """The columns that are not kept, nor copies of one that is, nor the objects that one was taken from."""
    enclosing = (name[: dot.start()] for name in kept for dot in re.finditer(r"\.", name))
    hidden = kept.union(enclosing)
    return [name for name in names if name not in hidden and not is_copy(name, kept, values)]


def _survey(source: str, items: Iterable[Item], limit: int | None) -> _Survey:
    survey = _Survey()
    for item in items:
        if isinstance(item, Layout):
            survey.layouts.append(item)
        if not is_record(item):
            continue
        if limit is not None and survey.records >= limit:
            break
        survey.records += 1
        if isinstance(item, Broken):
            continue
        if new := item.keys() - survey.names.keys():
            survey.names.update(dict.fromkeys(name for name in item if name in new))
            if len(survey.names) > _MOST_COLUMNS:
                raise InputError(
                    f"{source} has more than {_MOST_COLUMNS:,} columns. Export it with those of the reviews alone."
                )
        if new or len(survey.sample) < _SAMPLE:
            survey.sample.append({name: value and value[:_SAMPLED] for name, value in item.items()})
        for name, value in item.items():
            if value and len(value) <= 60:
                counted = survey.values.setdefault(name, Counter())
                if len(counted) < _DISTINCT or value in counted:
                    counted[value] += 1
    return survey


@dataclass
class _Deciding:
    """Decides field by field. What the last reading decided on the values of the same column holds, unless the user says
    otherwise.
    """

    survey: _Survey
    columns: dict[str, str]  # field -> column
    export: Export | None
    options: IngestOptions
    earlier: Decisions | None
    notes: list[str] = field(default_factory=list)

    def decisions(self) -> Decisions:
        """All of them."""
        language = self._language()
        dates = {name: self._dates(name, language) for name in DATES if name in self.columns}
        scale, labels = self._scale(language), self._labels()
        return Decisions(self.columns, dates, scale, labels, language)

    def _values(self, name: str) -> Counter[str]:
        return self.survey.values.get(self.columns.get(name, ""), Counter())

    def _known(self, name: str) -> Decisions | None:
        """The earlier decisions, if they were about the same column."""
        earlier, column = self.earlier, self.columns.get(name)
        return earlier if earlier and column and earlier.columns.get(name) == column else None

    def _language(self) -> str | None:
        if known := self._known("text") or self._known("liked"):
            return known.language
        texts = [self.columns[name].split("+") for name in ("text", "liked", "disliked") if name in self.columns]
        written = (row.get(column) for row in self.survey.sample for part in texts for column in part)
        return main_language([repair(text) for text in written if text])

    def _dates(self, name: str, language: str | None) -> DateStyle:
        """The style of a column of dates. "2 days ago" counts from the day of this export, also in a style that is remembered."""
        return replace(self._date_style(name, language), as_of=self._day_of_export())

    def _date_style(self, name: str, language: str | None) -> DateStyle:
        values, column = self._values(name), self.columns[name]
        if self.options.dates:
            return date_style(values, self.options.dates, language)
        if known := self._known(name):
            style = known.dates[name]
            if against := contradictions(values, style):
                self.notes.append(
                    f"{name}: {column} is read {describe(style)}, as before, but {', '.join(against)} can only be read the "
                    "other way. To read all of it anew: --dates dmy or --dates mdy"
                )
            return style
        declared = self.export.dates if self.export else ""
        style = date_style(values, declared or None, language)
        return date_style(values, None, language) if declared and contradictions(values, style) else style

    def _day_of_export(self) -> date | None:
        """The day on which the source was made, if a column says so: "2 days ago" counts from it."""
        for name in filter(lambda name: plain(name) in _MADE_AT, self.survey.names):
            values = self.survey.values.get(name, Counter())
            style = date_style(values)
            days = {moment.date() for value in values if (moment := parse_date(value, style))}
            if len(days) == 1:
                return days.pop()
        return None

    def _scale(self, language: str | None) -> str:
        ratings = [parse_stars(value) for value in self._values("stars").elements()]
        if (known := self._known("stars")) and not self.options.scale:
            if above := [value for value in unfit(ratings, known.scale) if value > 0]:
                self.notes.append(
                    f"stars: {self.columns['stars']} is read as {describe_scale(known.scale, ratings)}, as before, but "
                    f"{above[0]:g} lies outside. To read all of it anew: --scale 0-10, or what it is"
                )
            return known.scale
        declared = self.options.scale or (self.export.scale if self.export else "")
        scale = star_scale(ratings, self.columns.get("stars", ""), declared or None, language)
        if self.options.scale and scale == "unknown":
            outside = ", ".join(f"{value:g}" for value in unfit(ratings, self.options.scale))
            raise InputError(
                f"--scale {self.options.scale} does not fit {self.columns.get('stars')}, which holds {outside}. "
                "Name another scale, or leave it out."
            )
        return scale

    def _labels(self) -> dict[str, str]:
        """The meanings of a label column's values. One that says neither good nor bad is not used."""
        column, mapped = self.columns.get("label", ""), bool(self.options.mapping.get("label"))
        labels = label_names(self._values("label").elements(), mapped, column)
        if column and not labels and not mapped:
            values = self._values("label")
            if unknown := unknown_labels(values, mapped, column):
                hint = ""
                if label_names(values.elements(), True, column):
                    hint = f"; if they are sentiments from bad to good: --map label={shlex.quote(column)}"
                self.notes.append(f"label: {column} is not used: {', '.join(unknown)} say neither good nor bad{hint}")
            del self.columns["label"]
        return labels
