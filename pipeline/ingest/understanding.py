"""How a source is understood: one look at all of its records decides what holds for each of them.

What was decided is kept with the source, so that new rows of a growing file never change how the old ones are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest import columns
from pipeline.ingest.dates import DateStyle, contradictions, date_style, describe
from pipeline.ingest.exports import Export, recognise
from pipeline.ingest.formats.record import Broken, Item, Layout
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
_SAMPLE = 1000  # records by which columns are chosen
_DISTINCT = 100_000  # values of a column that a decision is based on


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

    Raises InputError if it has no records, or no column can be the text.
    """
    survey = _survey(items, options.limit)
    if not survey.records:
        raise InputError(f"{source} holds no reviews, at most a header. Export it again, or name another file.")
    names = list(survey.names)
    export = recognise(names)
    chosen = columns.choose(names, options.mapping, survey.sample, source, export) if names else {}
    decisions, notes = _decide(survey, chosen, export, options, earlier)
    used = {name for value in chosen.values() for name in value.split("+")}
    sampled = {name: [row.get(name) for row in survey.sample] for name in names}
    attributes = columns.attributes(names, chosen, export, sampled)
    unused = [name for name in names if name not in used and name not in attributes]
    return Understanding(source, survey.layouts, export, decisions, attributes, unused, notes)


def _survey(items: Iterable[Item], limit: int | None) -> _Survey:
    survey = _Survey()
    for item in items:
        if isinstance(item, Layout):
            survey.layouts.append(item)
            continue
        if limit is not None and survey.records >= limit:
            break
        survey.records += 1
        if isinstance(item, Broken):
            continue
        if new := item.keys() - survey.names.keys():
            survey.names.update(dict.fromkeys(name for name in item if name in new))
        if new or len(survey.sample) < _SAMPLE:
            survey.sample.append(item)
        for name, value in item.items():
            if value and len(value) <= 60:
                counted = survey.values.setdefault(name, Counter())
                if len(counted) < _DISTINCT or value in counted:
                    counted[value] += 1
    return survey


def _decide(
    survey: _Survey,
    chosen: Mapping[str, str],
    export: Export | None,
    options: IngestOptions,
    earlier: Decisions | None,
) -> tuple[Decisions, list[str]]:
    """The decisions, and what to tell about them."""

    def values(name: str) -> Counter[str]:
        return survey.values.get(chosen.get(name, ""), Counter())

    def known(name: str) -> bool:
        """Whether the last reading decided on the values of the same column."""
        return earlier is not None and name in chosen and earlier.columns.get(name) == chosen[name]

    texts = [row.get(name) or "" for row in survey.sample for name in chosen.get("text", "").split("+") if name in row]
    language = main_language(list(map(repair, texts)))
    if earlier and known("text"):
        language = earlier.language
    notes = []
    dates = {}
    for name in DATES:
        if earlier and known(name) and not options.dates:
            dates[name] = earlier.dates[name]
            notes += _told(name, chosen[name], contradictions(values(name), dates[name]), dates[name])
        elif name in chosen:
            dates[name] = date_style(values(name), options.dates or (export.dates if export else "") or None, language)
    ratings = [parse_stars(value) for value in values("stars").elements()]
    if earlier and known("stars") and not options.scale:
        scale = earlier.scale
    else:
        declared = options.scale or (export.scale if export else "") or None
        scale = star_scale(ratings, chosen.get("stars", ""), declared)
    if "stars" in chosen and (beyond := unfit(ratings, scale)):
        notes.append(
            f"stars: {chosen['stars']} is read as {describe_scale(scale, ratings)}; {', '.join(f'{value:g}' for value in beyond)} lie outside and "
            "have no stars. If the scale is another, say so: --scale 0-10"
        )
    label, mapped = chosen.get("label", ""), bool(options.mapping.get("label"))
    labels = label_names(values("label").elements(), mapped, label)
    if label and not labels and values("label"):
        unknown = unknown_labels(values("label"), mapped, label)
        notes.append(f"label: {label} is not used, as it holds {', '.join(unknown)}, which say neither good nor bad")
        chosen = {name: column for name, column in chosen.items() if name != "label"}
    return Decisions(dict(chosen), dates, scale, labels, language), notes


def _told(name: str, column: str, contradicting: Sequence[str], style: DateStyle) -> list[str]:
    if not contradicting:
        return []
    return [
        f"{name}: {column} is read {describe(style)}, as before, but {', '.join(contradicting)} can only be read the other "
        "way. To read all of it anew: --dates dmy or --dates mdy"
    ]
