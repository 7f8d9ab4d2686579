"""Sentences and clauses of a text as character spans, in all languages of `languages/`."""

from __future__ import annotations

import itertools
import re

from pipeline.text.language import any_of, entries
from pipeline.text.script import HAN, weight

LONGEST = 240  # characters in a clause; anything longer is no evidence but the whole review

_CLOSERS = "\"'”’»)\\]」』】）"
_EMOJI = "\u2600-\u27bf\U0001f300-\U0001faff"
_END = re.compile(
    rf"\n\s*|(?:[.!?…]+|[。！？｡；]+|;(?=\s))[{_CLOSERS}]*|(?<=[\w.!?])\s?[{_EMOJI}\ufe0f]+(?=\s+[A-ZÀ-Þ])"
)
_ADDRESS = re.compile(
    r"\w{1,12}://\S+|www\.\S+|[\w.+-]{1,64}@[\w.-]{1,80}\.\w+|\w{1,63}\.(?:com|org|net|edu|gov|info|co\.uk|de|fr|nl|dk|pdf|html?)\b",
    re.I,
)
_LIKE_ADDRESS = re.compile(r"://|www\.|@|\.(?:com|org|net|edu|gov|info|co\.uk|de|fr|nl|dk|pdf|html?)\b", re.I)
_WORD_BEFORE = re.compile(r"[^\W_]+$")
_ABBREVIATION = re.compile(f"{any_of('abbreviations')}|{any_of('abbreviations_at_end')}", re.I)
_AT_END = frozenset(entries("abbreviations_at_end"))
_BEFORE_NUMBER = frozenset(entries("abbreviations_before_number"))
_AFTER_ORDINAL = re.compile(rf"\s*{any_of('ordinal_followers')}", re.I)
_CONTRAST = re.compile(
    rf"(?<![^\s,(])(?:{any_of('contrast', spaced=True)}|(?<=,\s){any_of('contrast_after_comma', spaced=True)})\b"
    rf"|(?<=[，,、])\s?{any_of('contrast_after_comma', spaced=False)}|{any_of('contrast', spaced=False)}",
    re.I,
)
_CHINESE_COMMA = re.compile(rf"(?<=[{HAN}])[，,](?=\s?[{HAN}])")
_BREAK = re.compile(r"[,:，、：]+\s*|\s+")


def sentence_spans(text: str, clauses: bool = True) -> list[tuple[int, int]]:
    """Character spans (start, end) of the sentences of a text: ordered, disjoint, trimmed and never blank.

    With `clauses`, sentences are also split before contrast words and at semicolons, and none is longer than LONGEST
    characters. Handles Latin, Chinese and Japanese punctuation, full stops without a space after them, decimals, web
    addresses and common abbreviations; a stray emoji stays with the sentence before it.
    """
    cuts = [0, *_cuts(text, clauses), len(text)]
    spans: list[tuple[int, int]] = []
    for start, end in itertools.pairwise(cuts):
        start, end = _trim(text, start, end)
        if start == end:
            continue
        wordless = not any(map(str.isalnum, text[start:end]))
        if wordless and spans and "\n" not in text[spans[-1][1] : start]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    if not clauses:
        return spans
    return [piece for start, end in spans for clause in _clauses(text, start, end) for piece in _pieces(text, *clause)]


def _cuts(text: str, semicolons: bool) -> list[int]:
    """The positions at which a sentence ends."""
    all_lower = not any(map(str.isupper, text))
    addresses = [match.span() for match in _ADDRESS.finditer(text)] if _LIKE_ADDRESS.search(text) else []
    cuts: list[int] = []
    for match in _END.finditer(text):
        at, end = match.span()
        punctuation = match[0]
        if any(start < at < stop - 1 for start, stop in addresses):
            continue
        if punctuation[0] == ".":
            if punctuation[:2] != ".." and not _full_stop_ends(text, at, end, cuts[-1] if cuts else 0, all_lower):
                continue
        elif punctuation[0] in ";；" and not semicolons:
            continue
        cuts.append(end)
    return cuts


def _full_stop_ends(text: str, at: int, end: int, start: int, all_lower: bool) -> bool:
    """Whether the single full stop at text[at] ends a sentence that began at `start`."""
    following, ahead = text[end : end + 1], text[end : end + 8].lstrip()[:1]
    if not following or (end > at + 1 and following.isspace()):
        return True
    before = _WORD_BEFORE.search(text, max(start, at - 24), at)
    word = before[0] if before else ""
    if word.isdigit():
        if following.isdigit() or not text[start : at - len(word)].strip() or _AFTER_ORDINAL.match(text, end):
            return False  # a decimal, a numbered list item or an ordinal
        if following.isspace():
            return ahead.isupper() or all_lower
        return following.isalpha() and len(word) > 1
    if _ABBREVIATION.fullmatch(word) or (word.lower() in _BEFORE_NUMBER and ahead.isdigit()):
        return word.lower() in _AT_END and ahead.isupper()
    if len(word) == 1 and word != "I" and word.isascii():
        afternoon = text[max(start, at - 3) : at].lower().endswith(("a.m", "p.m"))
        return afternoon and following.isspace() and ahead.isupper()
    if following.isalnum():  # "it was ok.the staff": the space is missing, unless the word is too short to tell
        return len(word) > 1
    return following.isspace() or not following.isascii() or following in "\"'(["


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    # In Chinese, commas join whole opinions; elsewhere they join less than that.
    commas = _CHINESE_COMMA.finditer(text, start, end) if _has_weight(text, start, end, 37) else iter(())
    for cut in sorted({match.start() for match in itertools.chain(_CONTRAST.finditer(text, start, end), commas)}):
        if _has_weight(text, start, cut, 10) and _has_weight(text, cut, end, 10):
            spans.append((start, cut))
            start = cut
    return [_trim(text, *span) for span in [*spans, (start, end)]]


def _has_weight(text: str, start: int, end: int, minimum: int) -> bool:
    """Whether a span has at least this weight, without reading all of it."""
    return weight(text[start : min(end, start + minimum)]) >= minimum


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Pieces of at most LONGEST characters, cut at the last comma, else the last space, else anywhere."""
    pieces = []
    while end - start > LONGEST:
        breaks = list(_BREAK.finditer(text, start + LONGEST // 3, start + LONGEST))
        commas = [match for match in breaks if not match[0].isspace()]
        cut = (commas or breaks)[-1].end() if breaks else start + LONGEST
        pieces.append(_trim(text, start, cut))
        start = _trim(text, cut, end)[0]
    return [(a, b) for a, b in [*pieces, (start, end)] if a < b]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without whitespace at its ends, nor commas that a cut left there."""
    while start < end and (text[start].isspace() or text[start] in ",，、;"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ",，、"):
        end -= 1
    return start, end
