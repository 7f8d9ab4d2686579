"""Which column of a source holds what."""

from __future__ import annotations

import difflib
import itertools
import re
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from pipeline.ingest.attributes import attributes, letters
from pipeline.ingest.names import FIELDS, NAMES, OF_AN_ITEM, plain
from pipeline.ingest.values import is_vote, label_names, parse_stars

if TYPE_CHECKING:
    from pipeline.ingest.exports import Export

__all__ = ["FIELDS", "NAMES", "attributes", "choose", "plain"]


# --- Fields ---

# The order in which fields are looked for: what others wrote and the place come before what could be mistaken for them.
_ORDER = (
    *("text", "liked", "disliked", "reply", "replied_at", "business", "product"),
    *("title", "stars", "label", "reviewed_at", "language", "id", "author"),
)
_PLACE = {
    "placeid",
    "googleid",
    "cid",
    "lat",
    "latitude",
    "location.lat",
    "totalscore",
    "averagerating",
    "userratingcount",
}
_COMPANIES = {"company", "companyname", "organization", "organisation"}  # the customer's own, where each stands once
_TICKET = {"ticketid", "ticketnumber", "requester", "requestername", "assignee", "assigneename", "ticketstatus"}
_LISTED = 60  # columns in a message
_FLAGS = {"true", "false", "yes", "no", "ja", "nein", "oui", "non", "y", "n"}
_ANONYMOUS = re.compile(r"an[oó]n[iy]m|аноним|匿名|익명", re.IGNORECASE)


def choose(
    names: Sequence[str],
    mapping: Mapping[str, str],
    sample: Sequence[Mapping[str, Any]],
    source: str,
    export: Export | None = None,
) -> dict[str, str]:
    """Field -> column (or "a+b" for text) of a source with the columns `names`.

    `mapping` is taken as it is, where an empty value means that the source has no such column. Other fields are found by
    the export's columns, then by NAMES and the values in `sample` (some records); each column is used at most once. Raises
    InputError for an unknown field or column, and if no column can be the text, nor what was liked or disliked.
    """
    _check(names, mapping, source)
    chooser = _Chooser(names, sample, {field: column for field, column in mapping.items() if column})
    open_fields = [field for field in _ORDER if field not in mapping]
    if export:
        for field in open_fields:
            chooser.take(field, [column for column in map(chooser.column, export.fields.get(field, ())) if column])
        chooser.taken.update(filter(None, map(chooser.column, export.ignored)))
        open_fields = [field for field in open_fields if export.fields.get(field) != ()]
    for field in open_fields:
        if field not in chooser.chosen:
            chooser.take(field, chooser.candidates(field))
    if not {"text", "liked", "disliked"} & chooser.chosen.keys():
        raise InputError(_no_text(chooser, source))
    return {field: chooser.chosen[field] for field in FIELDS if field in chooser.chosen}


def _check(names: Sequence[str], mapping: Mapping[str, str], source: str) -> None:
    for field, value in mapping.items():
        if field not in FIELDS:
            raise InputError(
                f"--map {field}={value}: there is no field {field!r}.{_near(field, FIELDS)} Fields: {', '.join(FIELDS)}."
            )
        for column in value.split("+") if value else ():
            if column not in names:
                raise InputError(
                    f"--map {field}={value}: {source} has no column {column!r}. "
                    f"Its columns: {_listed(names)}.{_near(column, names)}"
                )


def _listed(names: Sequence[str]) -> str:
    shown = ["".join(filter(str.isprintable, name))[:60] for name in names[:_LISTED]]
    more = [f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return ", ".join(shown + more) or "none"


def _near(name: str, names: Sequence[str]) -> str:
    by_plain_name = {plain(other): other for other in names}
    near = difflib.get_close_matches(plain(name), by_plain_name, n=1, cutoff=0.7)
    return f" Did you mean {by_plain_name[near[0]]!r}?" if near else ""


def _no_text(chooser: _Chooser, source: str) -> str:
    listed = _listed(chooser.names)
    usual = [column for column in map(chooser.column, NAMES["text"]) if column and column not in chooser.taken]
    longest = max(chooser.names, key=lambda name: letters(chooser.filled(name)), default="")
    what = "Say which with --map text=COLUMN."
    if longest.isprintable() and letters(chooser.filled(longest)) > 12:
        what = f"The longest texts stand in {longest!r}; if these are the reviews: --map text={shlex.quote(longest)}"
    if usual:
        return f"{source}: the column {usual[0]} holds no text. Its columns: {listed}. {what}"
    return f"{source} has no column with a usual name for the review's text. Its columns: {listed}. {what}"


class _Chooser:
    """What has been chosen so far, and what the sample says of the other columns."""

    def __init__(self, names: Sequence[str], sample: Sequence[Mapping[str, Any]], chosen: dict[str, str]) -> None:
        self.names, self.chosen = names, chosen
        self.taken = {column for value in chosen.values() for column in value.split("+")}
        self._sample = sample
        self._by_plain_name: dict[str, str] = {}
        for name in names:
            self._by_plain_name.setdefault(plain(name), name)

    def column(self, name: str) -> str | None:
        """The source's column of that name, or its columns for "a+b"; None if there is none."""
        columns = [self._by_plain_name.get(plain(part)) for part in name.split("+")]
        return "+".join(filter(None, columns)) if all(columns) else None

    def values(self, column: str) -> list[str | None]:
        """The column's values in the sample."""
        return [row.get(column) for row in self._sample]

    def filled(self, column: str) -> list[str]:
        """The column's values in the sample that are not empty."""
        return [value for value in self.values(column) if value and value.strip()]

    def take(self, field: str, candidates: Sequence[str]) -> None:
        """Chooses the first of the candidates that is not taken yet, if there is one."""
        for column in candidates:
            if self.taken.isdisjoint(column.split("+")):
                self.chosen[field] = column
                self.taken.update(column.split("+"))
                return

    def candidates(self, field: str) -> list[str]:
        """The free columns with a usual name for a field that may hold it by their values, the most likely first."""
        usual = [column for column in map(self.column, NAMES[field]) if column and column not in self.taken]
        return _CANDIDATES[field](self, usual) if field in _CANDIDATES else sorted(usual, key=self.is_empty)

    def is_empty(self, column: str) -> bool:
        """Whether the column has no value in the sample."""
        return not self.filled(column)

    def recurring(self, name: str) -> list[str]:
        """The free column of that name if its values recur, else none."""
        column = self.column(name)
        return [column] if column and column not in self.taken and self.recurs(column) else []

    def has(self, names: set[str]) -> bool:
        """Whether the source has one of these columns, given in plain form."""
        return not names.isdisjoint(self._by_plain_name)

    def recurs(self, column: str) -> bool:
        """Whether values stand in two records or more, on average and most of them: a place's name does, a customer's does
        not, unless it is "Anonymous".
        """
        times = Counter(self.filled(column))
        again = sum(count > 1 for count in times.values())
        return times.total() >= 2 * len(times) > 0 and 2 * again >= len(times) and not any(map(_ANONYMOUS.match, times))


def _texts(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Columns of letters: sentences first, and among equals the order of NAMES."""
    length = {name: letters(chooser.filled(name)) for name in usual}
    return sorted((name for name in usual if length[name] > 0), key=lambda name: length[name] <= 12)


def _sides(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Texts for or against, not whether something was liked."""
    return [
        name
        for name in _texts(chooser, usual)
        if not _FLAGS.issuperset(value.strip().lower() for value in chooser.filled(name))
    ]


def _replied_at(chooser: _Chooser, usual: list[str]) -> list[str]:
    """A "response date" without a response is the survey's."""
    return [name for name in usual if "reply" in chooser.chosen or plain(name) not in NAMES["reviewed_at"]]


def _businesses(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Places by their names. A "title" among a place's columns is its name; a "name" or "company" is where it recurs."""
    titles = chooser.recurring("title") if chooser.has(_PLACE) else []
    names = [] if chooser.has(OF_AN_ITEM) and not chooser.has(_PLACE) else chooser.recurring("name")
    few = {name for name in usual if plain(name) in _COMPANIES and len(chooser.filled(name)) < 4}
    known = [name for name in usual if plain(name) not in _COMPANIES or name in few or chooser.recurs(name)]
    return sorted([*titles, *(name for name in known if plain(name) != "name" or name in names)], key=chooser.is_empty)


def _products(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Products by their names. A "title" or a "name" that recurs among a product's columns is its name."""
    named = [*chooser.recurring("title"), *chooser.recurring("name")] if chooser.has(OF_AN_ITEM) else []
    return sorted([*named, *usual], key=chooser.is_empty)


def _titles(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Titles that customers wrote: those of a place or a product stand in record after record, and a ticket's subject says
    what was asked, not how the answer was.
    """
    written = [name for name in usual if len(chooser.filled(name)) < 4 or not chooser.recurs(name)]
    return [name for name in written if plain(name) != "subject"] if chooser.has(_TICKET) else written


def _ratings(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Ratings by the customer, not the place's average: that does not vary within a place, and may be 4.3."""
    rated = [name for name in usual if any(parse_stars(value) is not None for value in chooser.filled(name))]
    tenths = {name: _in_tenths(chooser.filled(name)) for name in rated}
    fixed = {name: _fixed_by_place(chooser, name) for name in rated}
    own = [name for name in rated if not (tenths[name] and fixed[name])]
    return sorted(own, key=lambda name: (fixed[name], tenths[name]))


def _labels(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Columns of words for good and bad. Without stars these may be answers to "Rating", or say whether one recommends."""
    own = [name for name in usual if not is_vote(name)]
    if "stars" in chooser.chosen:
        return own
    ratings = [column for column in map(chooser.column, NAMES["stars"]) if column and column not in chooser.taken]
    return [*own, *(name for name in (*ratings, *usual) if label_names(chooser.filled(name), False, name))]


def _in_tenths(values: Sequence[str]) -> bool:
    ratings = filter(None, map(parse_stars, values))
    return any(abs(rating.value * 2 - round(rating.value * 2)) > 0.01 for rating in ratings)


def _fixed_by_place(chooser: _Chooser, column: str) -> bool:
    """Whether all reviews of a place have one value, over three reviews or more that share their place with another."""
    places: dict[str | None, list[str]] = {}
    business = chooser.chosen.get("business")
    of_rows = chooser.values(business) if business else [None] * len(chooser.values(column))
    for place, value in zip(of_rows, chooser.values(column), strict=True):
        if value:
            places.setdefault(place, []).append(value)
    shared = [values for values in places.values() if len(values) > 1]
    return sum(map(len, shared)) > 2 and all(len(set(values)) == 1 for values in shared)


def _ids(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Ids of reviews. "id" alone is not among NAMES, by which headers are found: it is a language's code as well."""
    plain_id = [column for column in map(chooser.column, ("id", "_id")) if column and column not in chooser.taken]
    return [name for name in (*usual, *plain_id) if _identifies(chooser, name)]


def _identifies(chooser: _Chooser, column: str) -> bool:
    """Whether a column tells reviews apart: equal values only where the text is equal too (a record exported twice), and
    more than a count of the rows.
    """
    texts = [chooser.chosen[field] for field in ("text", "liked", "disliked") if field in chooser.chosen]
    parts = [part for text in texts for part in text.split("+")]
    pairs = [(value, *texts) for value, *texts in zip(*map(chooser.values, (column, *parts)), strict=True) if value]
    ids = [value for value, *_ in pairs]
    distinct = len(set(ids))
    return 0 < distinct == len(set(pairs)) and 2 * distinct > len(ids) and not _counts_rows(ids)


def _counts_rows(ids: Sequence[str]) -> bool:
    if not all(id.isdecimal() and len(id) < 20 for id in ids):
        return False
    numbers = list(map(int, ids))
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return steps in ({1}, {-1}) or (not steps and numbers[0] < 2)


def _authors(chooser: _Chooser, usual: list[str]) -> list[str]:
    """Customers' names, not the paths by which some interfaces name a review."""
    return [name for name in usual if not any(map(_is_path, chooser.filled(name)))]


def _is_path(value: str) -> bool:
    """Whether a value is like "accounts/1/locations/2/reviews/a1"."""
    return "/" in value[1:-1] and len(value.split()) == 1


_CANDIDATES: dict[str, Callable[[_Chooser, list[str]], list[str]]] = {
    "text": _texts,
    "liked": _sides,
    "disliked": _sides,
    "reply": _texts,
    "replied_at": _replied_at,
    "business": _businesses,
    "product": _products,
    "title": _titles,
    "stars": _ratings,
    "label": _labels,
    "id": _ids,
    "author": _authors,
}
