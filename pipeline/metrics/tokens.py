"""NLTK's `word_tokenize` for English without its Punkt model, and several times as fast.

`word_tokenize` splits a text into sentences with Punkt (Kiss and Strunk 2006), then each sentence into words with
`NLTKWordTokenizer`. NLTK's trained Punkt model is a download whose licence was never settled, so it is not shipped.
Here NLTK's own Punkt runs with the few parameters below, written for this package and tested against that model: the same
tokens for all 1,500 texts of the original project's benchmark, and for 99 % of English reviews (the rest differ by a
period). The result is the same on every machine, whether or not NLTK's model is installed there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
_SEPARATOR = "xxchunkxx"
# White space that NLTK's rules and str.split treat differently, or that NLTK's rules for quotes tell from a space.
_ODD = re.compile(
    rf"[\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|[\t-\r][\"'`]|[\"'`][\t-\r]|{_SEPARATOR}"
)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_CLOSING = frozenset(".?!])}>\"'»\u201d\u2019")
_OPENING = re.compile(r"[\"'`]{2}")
_END = re.compile(r"[.?!]")
_PLAIN_END = re.compile(r"([A-Za-z]{2,})[.?!]")
_LISTED = re.compile(r"\d{1,3}\.")  # the number of a list's entry
_CAPITAL = re.compile(r"(?!Review)[A-Z][a-z]")
_REMEMBERED = 2**17
# Chunk -> its tokens inside a sentence: a tuple if the chunk may end one, None if they depend on its neighbours.
_inside: dict[str, list[str] | tuple[str, ...] | None] = {}


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
    """Words and punctuation marks of each English text, as `nltk.word_tokenize` gives them, case kept.

    NLTK's rules look no further than one space to either side, so each chunk between spaces is tokenized once, all new ones
    in one call, and cached. The few texts for which that does not hold go through NLTK as a whole.
    """
    chunked = [[] if _ODD.search(text) else text.split() for text in texts]
    _learn({chunk for chunks in chunked for chunk in chunks})
    assembled = (_assemble(chunks) if chunks else None for chunks in chunked)
    return [tokenize_plainly(text) if tokens is None else tokens for text, tokens in zip(texts, assembled, strict=True)]


def _learn(chunks: set[str]) -> None:
    """Caches the tokens of chunks inside a sentence; of those with a final period also without it."""
    if len(_inside) > _REMEMBERED:
        _inside.clear()
    new = [chunk for chunk in chunks | {chunk[:-1] for chunk in chunks if chunk[-1] == "."} if chunk not in _inside]
    tokens: list[str] = _words().tokenize("".join(f" {chunk} {_SEPARATOR}" for chunk in new))
    start = 0
    for chunk in new:
        end = tokens.index(_SEPARATOR, start)
        # A lone closing mark belongs to what precedes it; two quotes read differently when they open a sentence.
        depends = _OPENING.match(chunk) or (not _LETTER_OR_DIGIT.search(chunk) and not _CLOSING.isdisjoint(chunk))
        own = tokens[start:end]
        _inside[chunk] = None if depends else tuple(own) if _END.search(chunk) else own
        start = end + 1


def _assemble(chunks: list[str]) -> list[str] | None:
    """The tokens of a text from those of its chunks; None if they depend on the whole text."""
    tokens: list[str] = []
    for chunk, following in zip(chunks, [*chunks[1:], ""], strict=True):
        words = _inside[chunk]
        if words is None:
            return None
        if isinstance(words, tuple):
            ends = _ends_sentence(chunk, following)
            if ends is None:
                return None
            if ends and "." in chunk:
                words = _at_end(chunk)
        tokens += words
    return tokens


@functools.lru_cache(maxsize=_REMEMBERED)
def _at_end(chunk: str) -> list[str]:
    """Tokens of a chunk that ends a sentence: its final period stands alone."""
    before_period = _inside.get(chunk[:-1]) if chunk[-1] == "." and chunk[-2] != "." else None
    return _words().tokenize(f" {chunk}") if before_period is None else [*before_period, "."]


@functools.lru_cache(maxsize=_REMEMBERED)
def _ends_sentence(chunk: str, following: str) -> bool | None:
    """Whether a sentence ends between a chunk that has a period, ? or ! and the next; None if one ends inside it."""
    plain = _PLAIN_END.fullmatch(chunk)
    if plain and plain[1].lower() not in _ABBREVIATIONS and (not following or following[0].isalnum()):
        return True  # as Punkt would decide
    if _LISTED.fullmatch(chunk) and _CAPITAL.match(following):
        return True  # too: it knows no word that follows a number within a sentence but "review"
    if not following:
        return True if len(_sentences().tokenize(chunk)) == 1 else None
    spans = list(_sentences().span_tokenize(f"{chunk} {following}"))
    if len(spans) == 1:
        return False
    return True if len(spans) == 2 and spans[0][1] == len(chunk) and spans[1][0] == len(chunk) + 1 else None
