"""Parses dates, in the notations that `date_style` finds in their column. What is unclear or incomplete is None, never a guess."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.values import LONGEST
from pipeline.text.language import any_of, entries, languages

# Locales of CLDR besides the project's languages: further ones of large review sites, and regional spellings.
_LOCALES = ("bg", "ca", "de_AT", "en_GB", "es_UY", "et", "hr", "is", "lt", "lv", "ms", "pt_PT", "sk", "sl", "sr_Latn")
# Hours from UTC. Names with several meanings, such as CST, are left out.
_OFFSETS = {
    -8: "pst",
    -7: "mst pdt",
    -6: "mdt",
    -5: "est cdt",
    -4: "edt",
    0: "utc gmt z",
    1: "cet mez",
    2: "cest mesz eet",
    3: "eest",
    9: "jst kst",
}
_ZONES = {name: hours for hours, names in _OFFSETS.items() for name in names.split()}
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e\+?\d{1,2})?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:.*)?|\d{8}(?:t\d{4,6}.*)?")
_CLOCK = re.compile(
    r"(?:(?<=\d)t|(?<!\d))(\d{1,2})[:h](\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?![\d:])(?:\s?([ap])\.?\s?m\b\.?)?"
    rf"(?:\s?({'|'.join(_ZONES)})\b)?(?:\s?([+-]\d\d?)(?::?(\d\d))?(?![\d/.-])(?:\s?\([^()\d]*\))?)?"
)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s?([/.-])\s?(\d\d?)\s?\2\s?(\d\d?)(?!\d)")
_YEAR_LAST = re.compile(r"(?<![\d/.-])(\d\d?)\s?([/.-])\s?(\d\d?)\s?\2\s?(\d{4}|\d\d)(?!\d|[/.-]\d)")
_NUMBERED_MONTH = re.compile(r"(?:tháng|thg)\s?(\d\d?)(?!\d)|(?<!\d)(\d\d?)\s?[月월]")
_AFTER_NUMBER = re.compile(r"(?<=\d)\s?([年日号號년일])")
_DAY_FIRST = {"dmy": True, "mdy": False, "ymd": None}
_YEAR_FIRST_LANGUAGES = ("ja", "ko", "zh")  # where a date with the year last follows no habit
# CLDR has these words too, but Babel does not show them.
_DAYS_AGO = {
    0: """
        today heute hoy aujourd'hui oggi hoje vandaag idag dzisiaj dziś dnes сегодня сьогодні bugün 今日 今天 오늘
    """,
    1: "yesterday gestern ayer hier ieri ontem gisteren igår wczoraj včera вчера вчора dün kemarin 昨日 昨天 어제 أمس",
}
_ONE = re.compile(r"\d{1,3}|\b(?:an?|one|eine[mnr]?|ein|une?|una|uma?|een|en|ett?|jeden)\b")
_TOKEN = re.compile(r"\d+|[^\s\d,.;:/()|'’،–-]+")


@dataclass(frozen=True)
class DateStyle:
    """How a column writes its dates. The defaults are what a value on its own is read by."""

    dotted_day_first: bool | None = True  # 3.4.2020 is 3 April; None: left open
    slashed_day_first: bool | None = False  # the same of 3/4/2020 and 3-4-2020
    short_years: bool = False  # 3/4/20 has the year last
    year_first: bool = False  # 20/3/4 has the year first
    serials: bool = False  # 45356 is a day in the count of spreadsheets
    languages: frozenset[str] | None = None  # those that know all of the column's month names; None: not known
    ambiguous: bool = False  # the column holds dates that can be read with the day or the month first
    assumed: bool = False  # nothing in the values decides which
    shown_by: str | None = None  # a date that does
    as_of: date | None = None  # the day from which "2 days ago" counts; None: such dates are not read

    def to_json(self) -> dict[str, Any]:
        """The style in plain JSON values."""
        languages = None if self.languages is None else sorted(self.languages)
        return dict(vars(self), languages=languages, as_of=self.as_of and self.as_of.isoformat())

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DateStyle:
        """The style that `to_json` gave."""
        languages, as_of = values["languages"], values["as_of"]
        own = {
            "languages": None if languages is None else frozenset(languages),
            "as_of": as_of and date.fromisoformat(as_of),
        }
        return cls(**dict(values, **own))


@dataclass(frozen=True)
class _Calendar:
    """What CLDR and the project's own files know of dates."""

    months: Mapping[str, Mapping[str, int]]  # word -> {locale: month}
    words: frozenset[str]  # weekdays, and what connects the parts of a date
    phrases: re.Pattern[str]  # "Reviewed in India on"


@functools.cache
def _calendar() -> _Calendar:
    """Reads CLDR, by way of Babel."""
    from babel import Locale, UnknownLocaleError

    months: dict[str, dict[str, int]] = defaultdict(dict)
    words = {_plain(word) for word in entries("date_words")}
    for code in (*languages(), *_LOCALES):
        own = languages()[code].months if code in languages() else ()
        names = list(enumerate(own, 1))
        try:
            locale = Locale.parse(code)
        except (UnknownLocaleError, ValueError):
            locale = None  # a language of the user's own
        if locale:
            widths = [
                kind[width] for kind in locale.months.values() for width in ("wide", "abbreviated") if width in kind
            ]
            names += [(number, name) for width in widths for number, name in width.items()]
            weekdays = [width for kind in locale.days.values() for width in kind.values()]
            words.update(token for width in weekdays for name in width.values() for token in _tokens(name))
            words.update(token for each in locale.date_formats.values() for token in _tokens(_literals(each.pattern)))
        for number, name in names:
            if len(tokens := _tokens(name)) == 1:  # numbered months have a pattern of their own
                months[tokens[0]][code] = number
    words = {word for word in words if not word.isdecimal()}
    return _Calendar(months, frozenset(words), re.compile(any_of("date_phrases"), re.IGNORECASE))


def _literals(pattern: str) -> str:
    """The words in a date format of CLDR: "de" in "d 'de' MMMM"."""
    quoted = re.findall(r"'([^']*)'", pattern)
    return " ".join([*quoted, re.sub(r"'[^']*'|[A-Za-z]", " ", pattern)])


def _plain(text: str) -> str:
    """A text in lower case, with ASCII digits and without invisible characters."""
    if text.isascii():
        return text.lower().strip()
    text = unicodedata.normalize("NFKC", text).lower().replace("i\u0307", "i")
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return re.sub(r"\d", lambda digit: str(int(digit[0])), text).strip()


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(_plain(text))


# --- A column ---


def date_style(values: Iterable[str | None], order: str | None = None, language: str | None = None) -> DateStyle:
    """The style of a column, decided over all its values. `order` ("dmy", "mdy" or "ymd") is what the user or a known export
    says of values that can be read both ways. Where neither it nor a value decides, 3/4/2020 is 3 April, but 4 March in
    English and in an unknown `language` (the source's main one), and left open in Chinese, Japanese and Korean.
    Raises InputError for another order.
    """
    if order and order not in _DAY_FIRST:
        raise InputError(f"--dates {order}: there is no such order. Say dmy, mdy or ymd.")
    texts = [_plain(value) for value in values if value and len(value) <= LONGEST]
    matches = [match for text in texts if (match := _YEAR_LAST.search(text))]
    years_last = order != "ymd" and (order is not None or _years_are_last(matches, language))
    short_years = years_last and all(int(match[1]) <= 31 for match in matches)
    style = DateStyle(short_years=short_years, year_first=order == "ymd", languages=_common_languages(texts))
    matches = [match for match in matches if short_years or len(match[4]) == 4]
    style = _ordered(style, matches, _DAY_FIRST[order] if order else None, language)
    return replace(style, serials=_beside_dates(texts, style))


def _ordered(style: DateStyle, matches: list[re.Match[str]], day_first: bool | None, language: str | None) -> DateStyle:
    """The style with the order of day and month: the declared one, else that of the values, else the language's."""
    style = replace(style, ambiguous=any(map(_is_ambiguous, matches)))
    if day_first is not None:
        return replace(style, dotted_day_first=day_first, slashed_day_first=day_first)
    dotted = [match for match in matches if match[2] == "."]
    slashed = [match for match in matches if match[2] != "."]
    shown_by_dots, shown_by_slashes = _orders(dotted), _orders(slashed) or _orders(dotted)
    left_open = ([] if shown_by_dots else dotted) + ([] if shown_by_slashes else slashed)
    return replace(
        style,
        dotted_day_first=_only(shown_by_dots or {True}),
        slashed_day_first=_only(shown_by_slashes or {True if dotted else _habit(language)}),
        assumed=any(map(_is_ambiguous, left_open)),
        shown_by=next((match[0] for match in (*slashed, *dotted) if _shows_order(match)), None),
    )


def _habit(language: str | None) -> bool | None:
    """Whether the day is usually first in a language; None if there is no habit."""
    return None if language in _YEAR_FIRST_LANGUAGES else language not in (None, "en")


def _is_ambiguous(match: re.Match[str]) -> bool:
    return match[1] != match[3] and max(int(match[1]), int(match[3])) <= 12


def _shows_order(match: re.Match[str]) -> bool:
    return (int(match[1]) > 12) != (int(match[3]) > 12)


def _orders(matches: Iterable[re.Match[str]]) -> set[bool | None]:
    """Whether the day is first, by every date that only one order can explain."""
    return {int(match[1]) > 12 for match in matches if _shows_order(match)}


def _only(orders: set[bool | None]) -> bool | None:
    return next(iter(orders)) if len(orders) == 1 else None


def _year_is_last(match: re.Match[str]) -> bool:
    """Whether 1/26/11 cannot be read with the year first: it has no such month or day, or lies in the future."""
    first, second, last = int(match[1]), int(match[3]), int(match[4])
    future = first > datetime.now(UTC).year % 100
    return len(match[4]) == 4 or len(match[1]) == 1 or second > 12 or not 1 <= last <= 31 or future


def _years_are_last(matches: list[re.Match[str]], language: str | None) -> bool:
    """Whether short dates end with the year: one of them can only be read so, or all end with a year of the last 15 where
    what they begin with varies more, as days do. Where both vary alike, dots tell in languages that write 3.4.24.
    """
    if any(map(_year_is_last, matches)):
        return True
    now = datetime.now(UTC).year % 100
    first, last = ({int(match[group]) for match in matches} for group in (1, 4))
    if not matches or language in (*_YEAR_FIRST_LANGUAGES, "hu") or not all(now - 15 < year <= now for year in last):
        return False
    dotted = language not in (None, "en") and all(match[2] == "." for match in matches)
    return len(first) >= 2 * len(last) or (
        dotted and len(first) >= len(last) and not all(now - 15 < year for year in first)
    )


def _common_languages(texts: Iterable[str]) -> frozenset[str] | None:
    """The languages that know every month name of a column: "listopada" is November in Polish and October in Croatian."""
    months = _calendar().months
    names = {token for text in texts for token in _TOKEN.findall(text) if token in months}
    return frozenset.intersection(*(frozenset(months[name]) for name in names)) if names else None


def _beside_dates(texts: Iterable[str], style: DateStyle) -> bool:
    """Whether a column holds five-digit numbers, and most of its other values are dates."""
    texts = [text for text in texts if text]
    others = [text for text in texts if not _is_serial(text)]
    return len(others) < len(texts) and 2 * sum(parse_date(text, style) is not None for text in others) > len(others)


def contradictions(values: Iterable[str | None], style: DateStyle) -> list[str]:
    """Up to three values that only another order than the style's can explain."""
    return list(itertools.islice((value for value in values if value and _contradicts(value, style)), 3))


def _contradicts(value: str, style: DateStyle) -> bool:
    match = _YEAR_LAST.search(_plain(value)) if len(value) <= LONGEST else None
    if match is None:
        return False
    if len(match[4]) == 2 and (style.year_first or (style.short_years and int(match[1]) > 31)):
        return not style.year_first or int(match[3]) > 12 or not 1 <= int(match[4]) <= 31
    day_first = style.dotted_day_first if match[2] == "." else style.slashed_day_first
    return _shows_order(match) and day_first not in (None, int(match[1]) > 12)


def describe(style: DateStyle) -> str:
    """How a column's dates are read, in a short phrase for people."""
    first, option = ("day", "mdy") if style.slashed_day_first else ("month", "dmy")
    if not style.ambiguous and not style.shown_by:
        return "no ambiguous dates"
    if style.assumed and style.slashed_day_first is None:
        return "day or month first? Nothing in the file decides, ambiguous dates are left empty; say --dates dmy or mdy"
    if style.slashed_day_first is None:
        return "now the day and now the month first, ambiguous dates are left empty; say --dates dmy or mdy"
    if style.assumed:
        return f"{first} first, assumed: nothing in the file decides; say --dates {option} if not"
    return f"{first} first, as {style.shown_by} shows" if style.shown_by else f"{first} first, as declared"


# --- A value ---


def parse_date(value: str | None, style: DateStyle = DateStyle()) -> datetime | None:
    """A date without time zone, converted to UTC if one is given; None unless it has a year, a month and a day that can be
    read in one way only, between 1990 and 2100.
    """
    if not value or len(value) > LONGEST:
        return None
    text = _plain(value)
    try:
        moment = _iso(text) or (_counted(text, style) if _NUMBER.fullmatch(text) else _written(text, style))
        moment = moment or _relative(text, style.as_of)
        if moment and moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment if moment and 1990 <= moment.year <= 2100 else None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper()) if _ISO.fullmatch(text) else None
    except ValueError:
        return None


def _is_serial(text: str) -> bool:
    return bool(re.fullmatch(r"\d{5}(?:\.\d+)?", text)) and 20_000 <= float(text) <= 60_000


def _counted(text: str, style: DateStyle) -> datetime | None:
    """A date counted from an epoch: days from a spreadsheet, or seconds to nanoseconds; None if rounded to above 100 s."""
    if _is_serial(text):
        return datetime(1899, 12, 30) + timedelta(days=float(text)) if style.serials else None
    number = Decimal(text)
    for power in (0, 3, 6, 9):
        seconds = number.scaleb(-power)
        exponent = seconds.as_tuple().exponent
        if 10**9 <= seconds < 41 * 10**8 and isinstance(exponent, int) and exponent <= 2:
            return datetime(1970, 1, 1) + timedelta(microseconds=int(seconds * 10**6))
    return None


def _written(text: str, style: DateStyle) -> datetime | None:
    clock = _CLOCK.search(text)
    if clock:
        text = f"{text[: clock.start()]} {text[clock.end() :]}"
    text = _calendar().phrases.sub(" ", _AFTER_NUMBER.sub(r"\1 ", text))
    date = _numeric(text, style) or _with_month_name(text, style)
    return _at(datetime(*date), clock) if date else None


def _relative(text: str, as_of: date | None) -> datetime | None:
    """The day that was "yesterday", "2 days ago" or "vor einer Woche" on another; None for months, which vary in length."""
    if as_of is None:
        return None
    text = _calendar().phrases.sub(" ", text)
    days = _near_days().get("".join(text.split()))
    for number in _ONE.finditer(text):
        unit = _units_ago().get("".join(f"{text[: number.start()]}#{text[number.end() :]}".split()))
        if unit:
            days = unit * int(number[0]) if number[0].isdecimal() else unit
    return None if days is None else datetime.combine(as_of, time()) - timedelta(days=days)


@functools.cache
def _near_days() -> dict[str, int]:
    return {word: days for days, words in _DAYS_AGO.items() for word in words.split()}


@functools.cache
def _units_ago() -> dict[str, int]:
    """Days in the unit of "#daysago" and its like in all languages of CLDR that the project reads, without blanks."""
    from babel import localedata
    from babel.dates import format_timedelta

    result = {}
    for code in filter(localedata.exists, (*languages(), *_LOCALES)):
        past = functools.partial(format_timedelta, threshold=999, add_direction=True, locale=code)
        for count in (1, 2, 3, 5, 21):  # every plural form
            for phrase, days in ((past(timedelta(-count), "day"), 1), (past(timedelta(-7 * count), "week"), 7)):
                result[re.sub(r"\d+", "#", "".join(_plain(phrase).split()))] = days
    return {phrase: days for phrase, days in result.items() if "#" in phrase}  # Arabic has words for one and two days


def _at(day: datetime, clock: re.Match[str] | None) -> datetime:
    """A day with its time. Raises ValueError for a time that does not exist."""
    if not clock:
        return day
    hour, minute, second, half, zone, offset, offset_minutes = clock.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(f"{hours} {half}m")
        hours = hours % 12 + 12 * (half == "p")
    moment = day.replace(hour=hours, minute=int(minute), second=int(second or 0))
    if not zone and not offset:
        return moment
    sign = "-" if (offset or "").startswith("-") else ""
    shift = timedelta(hours=_ZONES.get(zone, 0) + int(offset or 0), minutes=int(f"{sign}{offset_minutes or 0}"))
    return moment.replace(tzinfo=timezone(shift))


def _numeric(text: str, style: DateStyle) -> tuple[int, int, int] | None:
    """Year, month and day of 2024/3/5, 5.3.2024 or 3/5/24, if nothing but words of a date is around it."""
    match = _YEAR_FIRST.search(text) or _YEAR_LAST.search(text)
    if not match or not _calendar().words.issuperset(_TOKEN.findall(f"{text[: match.start()]} {text[match.end() :]}")):
        return None
    if match.re is _YEAR_FIRST:
        return int(match[1]), int(match[3]), int(match[4])
    first, second = int(match[1]), int(match[3])
    day_first = style.dotted_day_first if match[2] == "." else style.slashed_day_first
    if first > 12 or second > 12:
        day_first = first > 12
    if len(match[4]) == 2 and style.year_first:
        return (_full_year(match[1]), second, int(match[4])) if len(match[1]) == 2 else None
    if (day_first is None and first != second) or (len(match[4]) == 2 and not style.short_years):
        return None
    return (_full_year(match[4]), second, first) if day_first else (_full_year(match[4]), first, second)


def _full_year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 70 else 1900)


def _with_month_name(text: str, style: DateStyle) -> tuple[int, int, int] | None:
    """Year, month and day of 5 March 2024 and 2024年3月5日 in any language; a two-digit year only in 5-Mar-24."""
    calendar = _calendar()
    numbered = _NUMBERED_MONTH.search(text)
    if numbered:
        text = f"{text[: numbered.start()]} # {text[numbered.end() :]}"
    tokens = [token for token in _TOKEN.findall(text) if token not in calendar.words or token in calendar.months]
    numbers = [token for token in tokens if token.isdecimal()]
    names = [token for token in tokens if not token.isdecimal()]
    if len(names) > 1:  # "mar." is also Tuesday, in French
        names = [name for name in names if name not in calendar.words]
    if len(names) != 1 or len(numbers) != 2:
        return None
    month = int(numbered[1] or numbered[2]) if numbered and names == ["#"] else _month(names[0], style)
    years = [number for number in numbers if len(number) == 4]
    if not years and tokens[1] == names[0] and len(numbers[1]) == 2:
        years = [numbers[1]]
    if month is None or len(years) != 1:
        return None
    day = numbers[0] if years[0] is numbers[1] else numbers[1]
    return (_full_year(years[0]), month, int(day)) if len(day) <= 2 else None


def _month(name: str, style: DateStyle) -> int | None:
    """The month of this name, if all languages that the column may be in agree."""
    meanings = _calendar().months.get(name, {})
    numbers = set(meanings.values())
    if len(numbers) > 1 and style.languages is not None:
        numbers = {number for language, number in meanings.items() if language in style.languages}
    return numbers.pop() if len(numbers) == 1 else None
