"""Variants of rows to train on, for `finetune --augment`: each keeps its row's label, or changes it where that is beyond doubt.

As in EDA (Wei and Zou 2019) and CheckList (Ribeiro et al. 2020): typing errors, another case, an emoji that says what the
label says, synonyms of words that have one meaning only (WordNet), the negation of plain statements, and translation there
and back by a language model, if one is given. English alone is changed: rows in other languages are left as they are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.backends.base import Generator, Request
from pipeline.core import prompts
from pipeline.metrics import wordnet
from pipeline.text.language import detect_languages
from pipeline.text.words import fold
from pipeline.tuning.labelled.rows import Example

VERSION = 1  # to be raised when the same rows would get other variants
LANGUAGE = "en"
PROMPT = "translate.v1"
VIA = "German"

_NEGATION = "not no never nothing nobody none neither nor without hardly barely cannot"
_NEGATORS = frozenset(_NEGATION.split())
_TYPOS_EVERY = 15  # words
_SYNONYMS_EVERY = 8  # words
_EMOJI = {
    "negative": "😠😞👎",
    "positive": "😊👍😍",
    "admiration": "👏",
    "amusement": "😂",
    "anger": "😡",
    "disappointment": "😞",
    "disgust": "🤢",
    "gratitude": "🙏",
    "joy": "😄",
    "love": "😍",
    "sadness": "😢",
    "surprise": "😮",
}

# --- The negation of plain statements ---

# Whose denial is a complaint, and the denial of which is praise once it is taken back: no superlatives, as "not superb" is no fault.
_VIRTUES = (
    "good great nice clean friendly helpful fresh tasty comfortable polite fair professional pleasant reliable useful"
)
_ADJECTIVE = f"(?:{'|'.join(_VIRTUES.split())})"
_DEGREE = r"(?:very |really |so |quite |pretty )?"
_SUBJECT = r"(?:[A-Za-z]+ ){0,4}[A-Za-z]+"
_AGAIN = "(?:be back|come back|go back|go again|come again|buy again|order again|stay again)"
_HEDGES = re.compile(
    r"\b(?:but|though|although|if|unless|should|could|only|else|wish|hope|think|thought|said|used|every|all|any"
    r"|some|too|when|expect\w*)\b",
    re.IGNORECASE,
)
# (the whole text, what it becomes, the class that it must have, the class that it gets)
_FLIPS = [
    (re.compile(pattern, re.IGNORECASE), new, before, after)
    for pattern, new, before, after in (
        (rf"({_SUBJECT} (?:is|was|are|were)) {_DEGREE}({_ADJECTIVE}[.!]*)", r"\1 not \2", "positive", "negative"),
        (rf"({_SUBJECT} (?:is|was|are|were))(?: not|n't) ({_DEGREE}{_ADJECTIVE}[.!]*)", r"\1 \2", "negative", "positive"),
        (r"(i (?:would|will|do)) (?:(?:definitely|highly|certainly) )?(recommend .{2,40})", r"\1 not \2", "positive", "negative"),
        (r"(i (?:would|will|do)) (?:not|never) (recommend .{2,40})", r"\1 \2", "negative", "positive"),
        (rf"((?:i|we) will) (?:(?:definitely|certainly) )?({_AGAIN}[.!]*)", r"\1 not \2", "positive", "negative"),
        (rf"((?:i|we) will) (?:not|never) ({_AGAIN}[.!]*)", r"\1 \2", "negative", "positive"),
    )
]  # fmt: skip


def flip(text: str, label: str) -> tuple[str, str] | None:
    """(the text negated, or no longer so, its class) of one plain statement whose class the rule is sure of; else None.

    A text with a second thought in it, or of another class than its words say, is none of these.
    """
    if _HEDGES.search(text) or "?" in text:
        return None
    for pattern, new, before, after in _FLIPS:
        match = pattern.fullmatch(text.strip())
        if (
            match
            and label == before
            and not _NEGATORS & set(fold(match.expand(new if before == "negative" else r"\1")).split())
        ):
            return match.expand(new), after
    return None


# --- Variants that keep the label ---


def typos(text: str, label: str, rng: random.Random) -> str:
    """Letters inside of a few longer words swapped, left out or doubled; none becomes another word. `text` where none can be."""
    known = wordnet.load()
    found = [match for match in re.finditer(r"\b[a-z]{5,}\b", text) if match[0] not in _NEGATORS]
    chosen = rng.sample(found, min(len(found), 1 + len(text.split()) // _TYPOS_EVERY))
    for match in sorted(chosen, key=lambda match: -match.start()):
        word = _mistyped(match[0], rng)
        if not known.synsets(word):
            text = text[: match.start()] + word + text[match.end() :]
    return text


def _mistyped(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 2)
    return rng.choice(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        ]
    )


def casing(text: str, label: str, rng: random.Random) -> str:
    """All small, or all in capitals."""
    return rng.choice([text.lower(), text.upper()])


def emoji(text: str, label: str, rng: random.Random) -> str:
    """With an emoji at its end that says what its label says; `text` where none does."""
    return f"{text} {rng.choice(_EMOJI[label])}" if label in _EMOJI else text


def synonyms(text: str, label: str, rng: random.Random) -> str:
    """Some words replaced by a synonym: of those that WordNet knows in one meaning only, in the form that stands there."""
    known = wordnet.load()
    found = [(match, other) for match in re.finditer(r"\b[a-z]{4,}\b", text) if (other := _synonyms(match[0], known))]
    chosen = rng.sample(found, min(len(found), 1 + len(text.split()) // _SYNONYMS_EVERY))
    for match, others in sorted(chosen, key=lambda pair: -pair[0].start()):
        text = text[: match.start()] + rng.choice(others) + text[match.end() :]
    return text


def _synonyms(word: str, known: wordnet.WordNet) -> list[str]:
    """Other words of the one synset that holds a word; none for one with more meanings, or in another form than its base."""
    numbers = [number for senses in known.senses(word).values() for number in senses]
    if len(numbers) != 1 or word in _NEGATORS or len(known.synsets(word)) != 1:
        return []
    names = known.rows[numbers[0]][2:].split(" ")
    return [name for name in names if name != word and name.isalpha() and name.islower()]


KEEPING: tuple[Callable[[str, str, random.Random], str], ...] = (typos, casing, emoji, synonyms)


# --- All of them ---


def augment(
    rows: Sequence[Example],
    classes: Sequence[str],
    seed: int,
    apart: Sequence[Example] = (),
    translator: Generator | None = None,
) -> list[Example]:
    """The rows, in order, then their variants: of each row in English one that keeps its label, its negation where `flip` is
    sure, and with a `translator` its translation there and back. Nothing is made that stands in `apart` (the rows of the other
    splits), or in `rows` with another label. The same rows and seed give the same variants.
    """
    english = [row for row in rows if row.language == LANGUAGE]
    candidates = [variant for row in english for variant in _variants(row, classes, seed)]
    if translator is not None:
        candidates += back_translated(english, translator)
    forbidden = {fold(row.text) for row in apart}
    labels = {fold(row.text): row.classes for row in rows}
    texts = {row.text for row in rows}
    variants = []
    for variant in candidates:
        key = fold(variant.text)
        is_new = variant.text not in texts and key not in forbidden
        if is_new and labels.setdefault(key, variant.classes) == variant.classes:
            texts.add(variant.text)
            variants.append(variant)
    return [*rows, *variants]


def _variants(row: Example, classes: Sequence[str], seed: int) -> list[Example]:
    rng = random.Random(f"{seed}\0{row.text}")
    label = classes[row.classes[0]] if len(row.classes) == 1 else ""
    kept = rng.choice(KEEPING)(row.text, label, rng)
    found = [replace(row, text=kept)]
    negated = flip(row.text, label)
    if negated and negated[1] in classes:
        found.append(replace(row, text=negated[0], classes=(classes.index(negated[1]),)))
    return found


def back_translated(rows: Sequence[Example], translator: Generator) -> list[Example]:
    """The rows translated to German and back, as Sennrich et al. 2016 and Xie et al. 2020 do; without those whose way back
    did not end in English, or at twice or half the length. Raises BackendDown if the model cannot be reached.
    """
    there = _translated([row.text for row in rows], VIA, translator)
    back = _translated(there, "English", translator)
    return [
        replace(row, text=text)
        for row, text, language in zip(rows, back, detect_languages(back), strict=True)
        if language == LANGUAGE and 0.5 <= len(text) / len(row.text) <= 2
    ]


def _translated(texts: Sequence[str], language: str, translator: Generator) -> list[str]:
    """Empty where a text is, or could not be translated."""
    asked = [index for index, text in enumerate(texts) if text]
    requests = [
        Request(
            prompts.render(PROMPT, language=language, text=prompts.as_data(texts[index], "text")),
            {"text": texts[index]},
        )
        for index in asked
    ]
    result = [""] * len(texts)
    for index, written in zip(asked, translator.write(requests), strict=True):
        if written.error is None and not written.truncated:
            result[index] = written.text.strip()
    return result
