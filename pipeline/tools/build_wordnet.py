"""Builds the compact WordNet table that METEOR reads.

    review-insights build-wordnet --wordnet /usr/share/wordnet --out pipeline/metrics/data/wordnet.txt.xz

The first folder holds the dictionary files of WordNet 3.0 (`data.*`, `index.*`, `*.exc`; Debian: `apt install wordnet-base`).
Princeton's licence is written beside the table as `WORDNET-LICENSE`. The same input gives the same text.

The table is UTF-8 text under xz, three blocks with a blank line between them:

    n entity                    one synset per line: part of speech (n v a s r), then its lemmas
    dog n1855,9735 v88437       one lemma per line, sorted: per part of speech its synsets, most frequent sense first
    n geese goose               one irregular form per line: part of speech, form, base forms

A synset's number is its line number, from 0. Glosses, examples, relations and counts are left out.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import InputError

PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
LICENSE_NAME = "WORDNET-LICENSE"
_MARKER = re.compile(r"\([^()]*\)$")  # "(p)", "(a)", "(ip)": the syntactic position of an adjective


def build(wordnet: Path, out: Path) -> None:
    """Writes the table to `out` and the licence beside it. Raises InputError if a file of `wordnet` is missing."""
    text = table(wordnet)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(lzma.compress(text.encode(), preset=9))
    (out.parent / LICENSE_NAME).write_text(licence(wordnet), encoding="utf-8")


def _lines(file: Path) -> Iterator[str]:
    """Lines of a dictionary file without the licence at its top, whose lines begin with a space."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"Cannot read {file} ({error.strerror}). Give the folder of WordNet 3.0's files with --wordnet; "
            "on Debian: apt install wordnet-base."
        ) from error
    return (line for line in text.splitlines() if line and not line.startswith(" "))


def table(wordnet: Path) -> str:
    """The text of the table. Raises InputError if a file of `wordnet` is missing."""
    synsets: list[str] = []
    number: dict[tuple[str, str], int] = {}  # (part of speech of the file, offset) -> line of the synset
    index: dict[str, list[str]] = {}
    exceptions: dict[tuple[str, str], list[str]] = {}
    for part, name in PARTS.items():
        for line in _lines(wordnet / f"data.{name}"):
            offset, _, kind, count, *fields = line.split()
            number[part, offset] = len(synsets)
            lemmas = (_MARKER.sub("", lemma) for lemma in fields[: 2 * int(count, 16) : 2])
            synsets.append(" ".join([kind, *lemmas]))
        for line in _lines(wordnet / f"index.{name}"):
            lemma, _, count, *fields = line.split()
            senses = ",".join(str(number[part, offset]) for offset in fields[-int(count) :])
            index.setdefault(lemma, []).append(part + senses)
        for line in _lines(wordnet / f"{name}.exc"):
            form, *bases = line.split()
            exceptions[part, form] = bases
    blocks = [
        synsets,
        [" ".join([lemma, *senses]) for lemma, senses in sorted(index.items())],
        [" ".join([part, form, *bases]) for (part, form), bases in sorted(exceptions.items())],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def licence(wordnet: Path) -> str:
    """Princeton's licence, from the numbered lines at the top of a data file."""
    numbered = (line for line in (wordnet / "data.noun").read_text(encoding="utf-8").splitlines() if line[:1] == " ")
    return "\n".join(re.sub(r"^ +\d+ ", "", line).rstrip() for line in numbered) + "\n"
