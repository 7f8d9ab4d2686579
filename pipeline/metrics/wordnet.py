"""WordNet 3.0 for METEOR, from a compact table shipped with the package: no NLTK data, no download.

`load()` gives an object with the part of NLTK's reader that `nltk.translate.meteor_score` uses: `synsets(word)`, each
with `lemmas()`, found by WordNet's own morphology. Results equal those of NLTK's reader on WordNet 3.0, order included. The
table (`data/wordnet.txt.xz`) is made by `pipeline.tools.build_wordnet`, which describes its format; it is derived from WordNet 3.0, Copyright 2006 by Princeton University (`data/WORDNET-LICENSE`).
"""

from __future__ import annotations

import functools
import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.core.errors import InputError

TABLE = Path(__file__).parent / "data" / "wordnet.txt.xz"
_PARTS = "nvar"
# Endings and what replaces them, in the order of morphy(7WN).
_DETACHMENT = {
    "n": "s: ses:s ves:f xes:x zes:z ches:ch shes:sh men:man ies:y",
    "v": "s: ies:y es:e es: ed:e ed: ing:e ing:",
    "a": "er: est: er:e est:e",
    "r": "",
}
_RULES = {
    part: [(ending, new) for ending, _, new in (rule.partition(":") for rule in rules.split())]
    for part, rules in _DETACHMENT.items()
}
_RULES_BY_LETTER = {
    letter: [(part, *rule) for part, rules in _RULES.items() for rule in rules if rule[0][-1] == letter]
    for letter in "sndgrt"
}
_NUMBER = re.compile(r"\d+")


class Lemma:
    """One word of a synset, spelled as in WordNet: capitals kept, underscores for spaces."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        """The word."""
        return self._name


class Synset:
    """Words with a meaning in common."""

    __slots__ = ("_lemmas",)

    def __init__(self, names: Iterable[str]) -> None:
        self._lemmas = [Lemma(name) for name in names]

    def lemmas(self) -> list[Lemma]:
        """In WordNet's order."""
        return self._lemmas


class WordNet:
    """Lookups in the table's text. Words are compared in lower case, as NLTK's reader does."""

    def __init__(self, text: str) -> None:
        synsets, index, exceptions = text.split("\n\n")
        self.rows = synsets.split("\n")
        self._index: dict[str, str] = dict(line.split(" ", 1) for line in index.split("\n"))
        self._exceptions: dict[tuple[str, str], list[str]] = {}
        for line in exceptions.splitlines():
            part, form, *bases = line.split(" ")
            self._exceptions[part, form] = bases
        self._irregular: dict[str, str] = {}  # form -> the parts of speech in which it is an exception
        for part, form in self._exceptions:
            self._irregular[form] = self._irregular.get(form, "") + part
        self._synsets: dict[int, Synset] = {}

    def senses(self, lemma: str) -> dict[str, list[int]]:
        """Part of speech -> numbers of the synsets of a lemma in its base form, most frequent sense first."""
        fields = self._index.get(lemma)
        return (
            {field[0]: [int(number) for number in field[1:].split(",")] for field in fields.split(" ")}
            if fields
            else {}
        )

    def _bases(self, form: str, part: str) -> Iterator[tuple[str, list[int]]]:
        """(base form, synsets) of a form: itself, then what the exception list or else the endings give."""
        forms = self._exceptions.get((part, form))
        if forms is None:
            forms = [form[: -len(ending)] + new for ending, new in _RULES[part] if form.endswith(ending)]
        for base in dict.fromkeys([form, *forms]):
            numbers = self.senses(base).get(part)
            if numbers:
                yield base, numbers

    def synsets(self, lemma: str) -> list[Synset]:
        """All synsets of a word in any of its forms: nouns, verbs, adjectives, adverbs. Empty for an unknown word."""
        lemma = lemma.lower()
        return [
            self._synset(number) for part in _PARTS for _, numbers in self._bases(lemma, part) for number in numbers
        ]

    def synonyms(self, lemma: str) -> set[str]:
        """The names of all lemmas of all synsets of a word; empty for an unknown word."""
        lemma = lemma.lower()
        numbers = _NUMBER.findall(self._index.get(lemma, ""))
        for part, base in self._other_bases(lemma):
            numbers += self.senses(base).get(part, [])
        return {name for number in numbers for name in self.rows[int(number)][2:].split(" ")}

    def _other_bases(self, form: str) -> Iterator[tuple[str, str]]:
        """(part of speech, base form): what `_bases` tries besides the form itself, by a look at its last letter."""
        for part, ending, new in _RULES_BY_LETTER.get(form[-1:], ()):
            if form.endswith(ending) and (part, form) not in self._exceptions:
                yield part, form[: -len(ending)] + new
        for part in self._irregular.get(form, ""):
            yield from ((part, base) for base in self._exceptions[part, form])

    def _synset(self, number: int) -> Synset:
        if number not in self._synsets:
            self._synsets[number] = Synset(self.rows[number].split(" ")[1:])
        return self._synsets[number]


@functools.cache
def load() -> WordNet:
    """The shipped table, read once. Raises InputError if it is missing or damaged."""
    try:
        return WordNet(lzma.decompress(TABLE.read_bytes()).decode("utf-8"))
    except (OSError, lzma.LZMAError, ValueError) as error:
        raise InputError(f"The WordNet table {TABLE.name} is missing or damaged. Reinstall review-insights.") from error
