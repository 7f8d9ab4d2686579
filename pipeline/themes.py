"""Themes of a review: which aspects of the playbook it speaks of, and the clause that says so.

Pure functions on text. No model is loaded: the sentiment of each clause comes from the classifier, in the stage.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.assets import PACKAGE
from pipeline.errors import InputError

GENERAL = "general"  # the aspect for reviews in which no term was found
LONGEST = 240  # characters of a clause: more than that is no longer evidence, it is the review


@dataclass(frozen=True)
class Aspect:
    """One entry of the playbook. `terms` holds (language, terms) pairs; `general` has none."""

    id: str
    label: str
    terms: tuple[tuple[str, tuple[str, ...]], ...] = field(hash=False)  # long: hashed anew for every review otherwise
    acknowledge: tuple[str, ...] = field(hash=False)
    steps: tuple[str, ...] = field(hash=False)


@dataclass(frozen=True)
class Mention:
    """text[start:end] is the clause that mentions the aspect; `term` is the playbook's term that matched in it, and `said`
    how the customer wrote it.
    """

    aspect_id: str
    start: int
    end: int
    term: str
    said: str


# --- The playbook file ---

_KEYS = {"id", "label", "acknowledge", "steps", "terms"}
_SLOT = re.compile(r"\{(.*?)\}")
_FIRST_CJK = "\u3040"
_CJK = "\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f"


def load_aspects(path: Path | None = None) -> tuple[Aspect, ...]:
    """The aspects of a playbook file, in its order; None: the shipped one.

    Raises InputError, with everything that is wrong with the file in one line.
    """
    path = path or PACKAGE / "playbook.toml"
    try:
        stamp = path.stat()
        return _load(path, stamp.st_mtime_ns, stamp.st_size)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"The playbook {path} cannot be read: {error}. Mend it, or leave [themes] taxonomy out."
        ) from None


@functools.lru_cache(maxsize=8)
def _load(path: Path, modified: int, size: int) -> tuple[Aspect, ...]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    errors = [f"unknown key '{key}' (aspects are written as [[aspect]])" for key in document if key != "aspect"]
    entries = document.get("aspect", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        errors.append("'aspect' is not a list of tables (write [[aspect]])")
        entries = []
    for number, entry in enumerate(entries, 1):
        errors += [f"aspect {entry.get('id') or number}: {error}" for error in _errors(entry)]
    ids = [entry["id"] for entry in entries if isinstance(entry.get("id"), str)]
    errors += [f"aspect {id}: written twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    if GENERAL not in ids:
        errors.append(f"no aspect '{GENERAL}', which answers reviews that mention none of the others")
    if not errors:
        errors = _shared_terms(entries)
    if errors:
        raise InputError(f"The playbook {path} has {len(errors)} error(s): {'; '.join(errors)}.")
    return tuple(
        Aspect(
            id=entry["id"],
            label=entry["label"],
            terms=tuple((language, tuple(terms)) for language, terms in entry.get("terms", {}).items()),
            acknowledge=tuple(entry["acknowledge"]),
            steps=tuple(entry["steps"]),
        )
        for entry in entries
    )


def _errors(entry: Mapping[str, Any]) -> list[str]:
    errors = [f"unknown key '{key}'" for key in entry if key not in _KEYS]
    if not isinstance(entry.get("id"), str) or not re.fullmatch(r"[a-z][a-z0-9_]*", entry["id"]):
        errors.append("'id' must be lower case letters, digits and underscores")
    if not _is_line(entry.get("label")):
        errors.append("'label' must be one line of text")
    for key, fewest, slots in (("acknowledge", 1, {"quote", "business"}), ("steps", 3, set[str]())):
        lines = entry.get(key)
        if not isinstance(lines, list) or len(lines) < fewest or not all(_is_line(line) for line in lines):
            errors.append(f"'{key}' must list at least {fewest} line(s) of text")
            continue
        unknown = sorted({slot for line in lines for slot in _SLOT.findall(line)} - slots)
        errors += [f"'{key}' has an unknown slot {{{slot}}}" for slot in unknown]
        if key == "acknowledge" and not all("{quote}" in line for line in lines):
            errors.append("every line of 'acknowledge' must hold {quote}")
    return errors + _term_errors(entry)


def _term_errors(entry: Mapping[str, Any]) -> list[str]:
    terms = entry.get("terms", {})
    if entry.get("id") == GENERAL:
        return [f"'{GENERAL}' takes no terms"] if terms else []
    if not isinstance(terms, dict) or not terms:
        return ["'terms' must list words and phrases per language"]
    errors = []
    for language, listed in terms.items():
        if not re.fullmatch(r"[a-z]{2}", language):
            errors.append(f"language '{language}' is not a two-letter code")
        if not isinstance(listed, list) or not listed:
            errors.append(f"'terms.{language}' is empty")
            continue
        for term in listed:
            if not isinstance(term, str) or not _words(term) or "*" in term[:-1]:
                errors.append(
                    f"'terms.{language}' has {term!r}: a term is a word or phrase, and * stands only at its end"
                )
    return errors


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value.splitlines()) == 1


def _shared_terms(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A term that two aspects claim would always go to one of them, silently."""
    owners: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        for language, terms in entry.get("terms", {}).items():
            for term in terms:
                owners.setdefault((language, " ".join(_words(term))), []).append(entry["id"])
    return [
        f"term '{term}' ({language}) is listed by {' and '.join(ids)}"
        for (language, term), ids in owners.items()
        if len(ids) > 1
    ]


# --- Sentences and clauses ---

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
_ABBREVIATION = re.compile(
    r"mr|mrs|ms|dr|prof|st|vs|approx|etc|ph|jr|sr|sra|dept|nr|str|bzw|ca|usw|evtl|inkl|zzgl|ggf|tel|mme|mlle|"
    r"av|bl|kl|osv|dvs|bijv|mevr|dhr|sig",
    re.I,
)
# German and Danish write ordinals with a full stop: "im 3. Stock", "den 5. maj".
_AFTER_ORDINAL = re.compile(
    r"\s*(?:jan|feb|mär|mar|apr|mai|maj|jun|jul|aug|sep|okt|oct|nov|dez|dec|etage|stock|og\b|mal\b|klasse|woche|tag\b|sal\b)",
    re.I,
)
# A contrast word opens a new clause, since opposite opinions live in one sentence. Words that mean something else in
# another language (fr "ma", en "men", nl "dog") count only after a comma, or not at all.
_CONTRAST = re.compile(
    r"""(?<![^\s,(])(?:
        (?<!nothing\s)(?<!anything\s)(?<!everything\s)(?<!none\s)(?<!all\s)(?<!no\schoice\s)but\b
      | however\b | although\b | (?<!even\s)(?<!as\s)though\b | even\sthough\b | whereas\b
      | aber\b | allerdings\b | jedoch\b | obwohl\b | mais\b | cependant\b | pourtant\b | toutefois\b | en\srevanche\b
      | pero\b | aunque\b | sin\sembargo\b | però\b | tuttavia\b | porém\b | contudo\b | no\sentanto\b
      | maar\b | echter\b | selvom\b
      | (?<=,\s)(?:while|yet|except|unfortunately|sadly|doch|leider|par\scontre|ma|purtroppo|mas|infelizmente|men|
                   desværre|helaas|malheureusement|desafortunadamente|lamentablemente)\b
    )|(?<=[，,、])\s?(?:但|不过|可是|然而|只是|就是|しかし|ただ|でも)|但是|(?<=けど、)|(?<=けれど、)|(?<=すが、)|(?<=たが、)|(?<=いが、)""",
    re.IGNORECASE | re.VERBOSE,
)
_CHINESE_COMMA = re.compile(r"(?<=[\u3400-\u9fff])[，,](?=\s?[\u3400-\u9fff])")
_BREAK = re.compile(r"[,:，、：]+\s*|\s+")


def sentences(text: str, clauses: bool = True) -> list[tuple[int, int]]:
    """Character spans (start, end) of the sentences of a text: ordered, apart, trimmed and never blank.

    With `clauses`, sentences are also split before words of contrast and at semicolons, and none is longer than
    LONGEST characters. Knows Latin, Chinese and Japanese punctuation, full stops without a space after them,
    decimals, web addresses, common abbreviations; a stray emoji stays with the sentence that it follows.
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
    return [piece for start, end in spans for clause in _clauses(text, start, end) for piece in _short(text, *clause)]


def _cuts(text: str, semicolons: bool) -> list[int]:
    """Where one sentence ends and the next may begin."""
    lowered_text = not any(map(str.isupper, text))
    addresses = [match.span() for match in _ADDRESS.finditer(text)] if _LIKE_ADDRESS.search(text) else []
    cuts: list[int] = []
    for match in _END.finditer(text):
        at, end = match.span()
        mark = match[0]
        if any(start < at < stop - 1 for start, stop in addresses):
            continue
        if mark[0] == ".":
            if mark[:2] != ".." and not _full_stop_ends(text, at, end, cuts[-1] if cuts else 0, lowered_text):
                continue
        elif mark[0] in ";；" and not semicolons:
            continue
        cuts.append(end)
    return cuts


def _full_stop_ends(text: str, at: int, end: int, start: int, lowered_text: bool) -> bool:
    """Whether the single full stop at text[at] ends a sentence that began at `start`."""
    following, ahead = text[end : end + 1], text[end : end + 8].lstrip()[:1]
    if not following or (end > at + 1 and following.isspace()):
        return True
    found = _WORD_BEFORE.search(text, max(start, at - 24), at)
    word = found[0] if found else ""
    if word.isdigit():
        if following.isdigit() or not text[start : at - len(word)].strip() or _AFTER_ORDINAL.match(text, end):
            return False  # a decimal; the number of a list item; an ordinal
        if following.isspace():
            return ahead.isupper() or lowered_text
        return following.isalpha() and len(word) > 1
    if _ABBREVIATION.fullmatch(word) or (word.lower() == "no" and ahead.isdigit()):
        return word.lower() in ("etc", "usw", "osv") and ahead.isupper()
    if len(word) == 1 and word != "I" and word.isascii():
        afternoon = text[max(start, at - 3) : at].lower().endswith(("a.m", "p.m"))
        return afternoon and following.isspace() and ahead.isupper()
    if following.isalnum():  # "it was ok.the staff": a missing space, unless the word is too short to tell
        return len(word) > 1
    return following.isspace() or not following.isascii() or following in "\"'(["


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    # Chinese strings whole opinions together with commas; elsewhere a comma joins less than that.
    commas = _CHINESE_COMMA.finditer(text, start, end) if _weighs(text, start, end, 37) else iter(())
    for cut in sorted({match.start() for match in itertools.chain(_CONTRAST.finditer(text, start, end), commas)}):
        if _weighs(text, start, cut, 10) and _weighs(text, cut, end, 10):
            spans.append((start, cut))
            start = cut
    return [_trim(text, *span) for span in [*spans, (start, end)]]


def _weighs(text: str, start: int, end: int, least: int) -> bool:
    """Whether the span has so many characters; a Chinese or Japanese one counts three times (it says as much)."""
    span = text[start : min(end, start + least)]
    return sum(3 if "\u3040" <= character <= "\u9fff" else 1 for character in span) >= least


def _short(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Pieces of at most LONGEST characters, cut at the last comma, else the last blank, else anywhere."""
    pieces = []
    while end - start > LONGEST:
        breaks = list(_BREAK.finditer(text, start + LONGEST // 3, start + LONGEST))
        commas = [found for found in breaks if not found[0].isspace()]
        cut = (commas or breaks)[-1].end() if breaks else start + LONGEST
        pieces.append(_trim(text, start, cut))
        start = _trim(text, cut, end)[0]
    return [(a, b) for a, b in [*pieces, (start, end)] if a < b]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Without blanks at either end, and without a comma that a cut left hanging."""
    while start < end and (text[start].isspace() or text[start] in ",，、;"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ",，、"):
        end -= 1
    return start, end


# --- Terms ---

_WORD = re.compile(rf"[^\W_{_CJK}]+|[{_CJK}]+")
_JOINT = re.compile(r"[\s\-–'’./&]{1,3}")  # what may stand between the words of a phrase


@dataclass(frozen=True)
class _Term:
    aspect_id: str
    term: str
    words: tuple[str, ...]
    open: bool  # closes with *: the last word may go on


@dataclass(frozen=True)
class _Index:
    """Where a term is looked up: by its first two words, its only word or its stem; Chinese and Japanese as it is."""

    phrases: dict[tuple[str, str], list[_Term]]  # the longest first
    words: dict[str, list[_Term]]  # single words, and phrases whose second word is open
    stems: dict[str, _Term]
    glued: dict[str, _Term]


def find(text: str, language: str | None, aspects: tuple[Aspect, ...]) -> list[Mention]:
    """Every clause that mentions an aspect, in order of the text; one Mention per clause and aspect.

    Terms of the language and of English are looked for; all languages where it is None or not in the playbook.
    Where terms overlap, the one that begins first and then the longest counts ("room service" is not a room).
    """
    index = _index(aspects, (language or "")[:2].lower())
    lowered = _lower(text)
    mentions: dict[tuple[int, str], Mention] = {}
    for start, end in sentences(text):
        for term, at, to in _terms_in(lowered, start, end, index):
            mention = Mention(term.aspect_id, start, end, term.term, text[at:to])
            mentions.setdefault((start, term.aspect_id), mention)
    return list(mentions.values())


def _terms_in(text: str, start: int, end: int, index: _Index) -> Iterator[tuple[_Term, int, int]]:
    """Each term with the place in the text where it begins and ends."""
    runs = list(_WORD.finditer(text, start, end))
    words = [run[0] for run in runs]
    at = 0
    while at < len(runs):
        if words[at] >= _FIRST_CJK:
            # Terms such as "2小时" begin in the run of digits before.
            before = at > 0 and words[at - 1].isdigit() and runs[at - 1].end() == runs[at].start()
            begins = runs[at - before].start()
            for term, place in _glued_in(text[begins : runs[at].end()], index.glued):
                yield term, begins + place, begins + place + len("".join(term.words))
            at += 1
            continue
        found = _phrase_at(text, runs, words, at, index) or _stem_of(words[at], index.stems)
        if found:
            yield found, runs[at].start(), runs[at + len(found.words) - 1].end()
        at += len(found.words) if found else 1


def _phrase_at(text: str, runs: list[re.Match[str]], words: list[str], at: int, index: _Index) -> _Term | None:
    candidates = index.words.get(words[at], [])
    if at + 1 < len(words):
        candidates = index.phrases.get((words[at], words[at + 1]), []) + candidates
    for term in candidates:
        last = at + len(term.words) - 1
        if (
            last < len(words)
            and (words[last].startswith(term.words[-1]) if term.open else words[last] == term.words[-1])
            and all(words[i] == term.words[i - at] for i in range(at, last))
            and all(_JOINT.fullmatch(text, runs[i].end(), runs[i + 1].start()) for i in range(at, last))
        ):
            return term
    return None


def _stem_of(word: str, stems: Mapping[str, _Term]) -> _Term | None:
    for size in range(len(word), 1, -1):
        if word[:size] in stems:
            return stems[word[:size]]
    return None


def _glued_in(run: str, glued: Mapping[str, _Term]) -> Iterator[tuple[_Term, int]]:
    """Terms and where they begin. Without blanks between words every position may begin a term."""
    at = 0
    while at < len(run):
        size = next((size for size in range(_LONGEST_GLUED, 0, -1) if run[at : at + size] in glued), 0)
        if size:
            yield glued[run[at : at + size]], at
        at += size or 1


_LONGEST_GLUED = 12


@functools.lru_cache(maxsize=64)
def _index(aspects: tuple[Aspect, ...], language: str) -> _Index:
    known = {code for aspect in aspects for code, _ in aspect.terms}
    wanted = {language, "en"} if language in known else known
    listed = [
        (code, aspect.id, term)
        for aspect in aspects
        for code, terms in aspect.terms
        for term in terms
        if code in wanted
    ]
    index = _Index({}, {}, {}, {})
    # Terms of the language itself come first: they win over English ones that are written alike.
    for _, aspect_id, written in sorted(listed, key=lambda item: item[0] != language):
        words = _words(written)
        term = _Term(aspect_id, written, words, written.endswith("*"))
        if _is_cjk(written):
            index.glued.setdefault("".join(words), term)
        elif term.open and len(words) == 1:
            index.stems.setdefault(words[0], term)
        elif len(words) == 1 or (term.open and len(words) == 2):
            index.words.setdefault(words[0], []).append(term)
        else:
            index.phrases.setdefault((words[0], words[1]), []).append(term)
    for terms in [*index.phrases.values(), *index.words.values()]:
        terms.sort(key=lambda term: (-len(term.words), term.open, -len(term.words[-1])))
    return index


def _words(term: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(_lower(term)))


_is_cjk = re.compile(f"\\w*[{_CJK}]").match


def _lower(text: str) -> str:
    """Lower case of the same length, so that positions hold (İ alone becomes two characters)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)
