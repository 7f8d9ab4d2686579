"""NLTK's `word_tokenize` for English without its Punkt model, and several times as fast.

`word_tokenize` splits a text into sentences with Punkt (Kiss and Strunk 2006), then each sentence into words with
`NLTKWordTokenizer`. NLTK's trained Punkt model is a download whose licence was never settled, so it is not shipped.
Here NLTK's own Punkt runs with the few parameters below, written for this package and tested against that model: the same
tokens for all 1,500 texts of the original project's benchmark, and for 99 % of English reviews (the rest differ by a
period). The result is the same on every machine, whether or not NLTK's model is installed there.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nltk.tokenize import NLTKWordTokenizer
    from nltk.tokenize.punkt import PunktSentenceTokenizer

# American newspaper usage, as in NLTK's model: months, states, titles, firms. "e.g." and "etc." are not in it, and
# neither are they here; "ok." is Oklahoma.
_ABBREVIATION_LIST = """
    a.m ala aug ave bros calif co col colo conn corp d.c dec dr feb fla fri ft ga gen gov ill inc jan jr kan ky l.a lt
    ltd m.b.a maj messrs mich minn mr mrs ms n.c n.h n.j n.y nev nov oct ok okla ore p.m pa ph.d prof rep sen sep sept
    sgt sr st tenn tex tues u.k u.n u.s u.s.a va vs vt w.va wash wed wis yr
    b c d e f g h j k l m n o p q r s t u v w x y z
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
# A capital after an abbreviation starts a sentence for these words only.
_STARTERS = "but he however i if in it so since some the there these they this those when while"
_SEPARATOR = "\x00"  # between chunks: a token that no rule touches
# White space that NLTK's rules and str.split treat differently, or that NLTK's rules for quotes tell from a space.
_ODD_SPACE = "\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ODD = re.compile(rf"[{_ODD_SPACE}\t-\r](?:(?<=[{_ODD_SPACE}])|(?<=[\"'`].)|(?=[\"'`]))", re.DOTALL)
# Letters or digits, a mark after them or not: most chunks. NLTK's rules split the mark off, a period at a sentence's end only.
_SIMPLE = re.compile(r"([A-Za-z]+|[0-9]+)([.,;:?!]?)")
_CONTRACTED = frozenset({"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"})  # words that NLTK's rules split
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_CLOSING = frozenset(".?!])}>\"'»\u201d\u2019")
_OPENING = re.compile(r"[\"'`]{2}")
# A period that may end a sentence for Punkt, or that NLTK's rules split off at the end of one; ? and ! where quotes are near.
_END = re.compile(r"[.?!](?:$|[?!)\]}>({\[\"';:*@\u2018\u2019\u201c\u201d«»])")
_SPLIT_ANYWHERE = re.compile(r"[^.\"'`]*")  # without periods and quotes, an end changes nothing
# Ends one, but for abbreviations, at the end of the text and before what _OPENS matches.
_PLAIN_END = re.compile(r"[(\u201c\"]?(?:[^\W\d_]+-)*([^\W\d_]{2,})[)\u201d\u2019»…\"]*[.?!][\"')\u201d]?")
_OPENS = re.compile(r"$|[^\W_]|[#$£€<¿¡]")
_LISTED = re.compile(r"\d{1,3}\.")  # the number of a list's entry
_CAPITAL = re.compile(r"(?!Review)[A-Z][a-z]")
_REMEMBERED = 2**17


_STOP = "\n"  # follows a chunk that ends a sentence
_known: dict[str, list[str]] = {}  # chunk -> its tokens
# Chunk that may end a sentence -> whether it is a plain end. None: its tokens
# depend on its neighbours.
_endings: dict[str, bool | None] = {}


@functools.cache
def _sentences() -> PunktSentenceTokenizer:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = set(_ABBREVIATIONS)
    parameters.sent_starters = set(_STARTERS.split())
    parameters.collocations = {("##number##", "review")}  # NLTK's model reads "2. Review the menu" as one sentence
    return PunktSentenceTokenizer(parameters)


@functools.cache
def _words() -> NLTKWordTokenizer:
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


def tokenize_plainly(text: str) -> list[str]:
    """What `tokenize` gives for one text, by NLTK's code alone: first sentences, then words."""
    return [word for sentence in _sentences().tokenize(text) for word in _words().tokenize(sentence)]


def tokenize(texts: Sequence[str]) -> list[list[str]]:
    """Words and punctuation marks of each English text, as `nltk.word_tokenize` gives them, case kept."""
    numbers, tokens = encode(texts)
    return [[tokens[number] for number in text.tolist()] for text in numbers]


def encode(texts: Sequence[str]) -> tuple[list[np.ndarray], list[str]]:
    """(the numbers of each text's tokens, int64; the token of each number): what `tokenize` gives, for work on arrays.

    NLTK's rules look no further than one space to either side, so each chunk between spaces is tokenized once, all new ones
    in one call, and cached. The few texts for which that does not hold go through NLTK as a whole.
    """
    chunked = [[] if _is_odd(text) else text.split() for text in texts]
    _learn(set(itertools.chain.from_iterable(chunked)))
    chunked = [_with_stops(chunks) for chunks in chunked]
    flat = list(itertools.chain.from_iterable(chunked))
    rows = {chunk: row for row, chunk in enumerate(dict.fromkeys(flat))}
    tokens: dict[str, int] = {}
    in_row = [[tokens.setdefault(token, len(tokens)) for token in _known[chunk]] for chunk in rows]
    row = np.fromiter(map(rows.__getitem__, flat), np.int64, len(flat))
    ends = np.cumsum(np.fromiter(map(len, in_row), np.int64, len(in_row))[row])
    starts = [0, *ends.tolist()]
    stops = [starts[stop] for stop in itertools.accumulate(map(len, chunked))]
    *numbers, _ = np.split(_concatenated(in_row, row), stops)
    for index, chunks in enumerate(chunked):
        if not chunks:
            whole = [tokens.setdefault(token, len(tokens)) for token in tokenize_plainly(texts[index])]
            numbers[index] = np.array(whole, dtype=np.int64)
    return numbers, list(tokens)


def _concatenated(lists: Sequence[Sequence[int]], chosen: np.ndarray) -> np.ndarray:
    """The numbers of the chosen lists, one list after the other."""
    numbers = np.fromiter(itertools.chain.from_iterable(lists), np.int64)
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    # How far each number's index in the result is from its index in `numbers`.
    shift = (np.cumsum(lengths) - lengths)[chosen] - (np.cumsum(lengths[chosen]) - lengths[chosen])
    return numbers[np.arange(lengths[chosen].sum()) + np.repeat(shift, lengths[chosen])]


def _is_odd(text: str) -> bool:
    # A text of printable characters has no white space but the space.
    return _SEPARATOR in text or (not text.isprintable() and _ODD.search(text) is not None)


def _learn(chunks: set[str]) -> None:
    """Caches the tokens of chunks, of those with a final period also without it."""
    if len(_known) > _REMEMBERED:
        _known.clear()
        _endings.clear()
    others = []
    for chunk in chunks.difference(_known):
        simple = _SIMPLE.fullmatch(chunk)
        if simple and simple[1].lower() not in _CONTRACTED:
            _learn_simple(chunk, *simple.groups())
        else:
            others.append(chunk)
    _learn_by_nltk([*{chunk[:-1] for chunk in others if _ends_with_a_period(chunk)}.difference(_known), *others])


def _learn_simple(chunk: str, word: str, mark: str) -> None:
    split = [word, mark] if mark else [word]
    _known[chunk] = [chunk] if mark == "." else split
    if mark == ".":
        _known[chunk + _STOP] = split
        _endings[chunk] = _is_plain_end(chunk)


def _learn_by_nltk(chunks: Sequence[str]) -> None:
    tokens: list[str] = _words().tokenize("".join(f" {chunk} {_SEPARATOR}" for chunk in chunks))
    start = 0
    for chunk in chunks:
        end = tokens.index(_SEPARATOR, start)
        _known[chunk] = tokens[start:end]
        start = end + 1
        # A lone closing mark belongs to what precedes it; two quotes read differently when they open a sentence.
        if _OPENING.match(chunk) or (not _LETTER_OR_DIGIT.search(chunk) and not _CLOSING.isdisjoint(chunk)):
            _endings[chunk] = None
        elif _END.search(chunk) and not _SPLIT_ANYWHERE.fullmatch(chunk):
            _endings[chunk] = _is_plain_end(chunk)
            if _ends_with_a_period(chunk):
                _known[chunk + _STOP] = [*_known[chunk[:-1]], "."]


def _ends_with_a_period(chunk: str) -> bool:
    """Whether all that the end of a sentence changes is that the final period stands alone."""
    return chunk[-1] == "." and _LETTER_OR_DIGIT.search(chunk) is not None and not _END.search(chunk[:-1])


def _is_plain_end(chunk: str) -> bool:
    plain = _PLAIN_END.fullmatch(chunk)
    return plain is not None and plain[1].lower() not in _ABBREVIATIONS


def _with_stops(chunks: list[str]) -> list[str]:
    """The chunks of a text, with a mark after those that end a sentence; none if their tokens depend on the whole text."""
    for place in [place for place, chunk in enumerate(chunks) if chunk in _endings]:
        chunk = chunks[place]
        following = chunks[place + 1] if place + 1 < len(chunks) else ""
        is_plain = _endings[chunk]
        if is_plain is None:
            return []
        ends = True if is_plain and _OPENS.match(following) else _ends_sentence(chunk, following)
        if ends is None:
            return []
        if ends:
            chunks[place] = chunk + _STOP
            if chunks[place] not in _known:
                _known[chunks[place]] = _words().tokenize(f" {chunk}")
    return chunks


@functools.lru_cache(maxsize=_REMEMBERED)
def _ends_sentence(chunk: str, following: str) -> bool | None:
    """Whether a sentence ends between a chunk that has a period, ? or ! and the next; None if one ends inside it."""
    if _LISTED.fullmatch(chunk) and _CAPITAL.match(following):
        return True  # as Punkt would decide: it knows no word that follows a number within a sentence but "review"
    if not following:
        return True if len(_sentences().tokenize(chunk)) == 1 else None
    spans = list(_sentences().span_tokenize(f"{chunk} {following}"))
    if len(spans) == 1:
        return False
    return True if len(spans) == 2 and spans[0][1] == len(chunk) and spans[1][0] == len(chunk) + 1 else None
