"""METEOR per pair, by NLTK's own `meteor_score`, on any machine and without a download.

Source: Banerjee and Lavie 2005; Lavie and Agarwal 2007, whose parameters (alpha 0.9, beta 3, gamma 0.5) NLTK has as
defaults. Texts are tokenized as `nltk.word_tokenize` does it (`pipeline.metrics.tokens`), which is also what
`evaluate`'s METEOR does; synonyms come from WordNet 3.0 (`pipeline.metrics.wordnet`). Values equal those of plain NLTK
with its downloaded data; what makes it faster is that tokens, stems and synonyms are remembered.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from pipeline.metrics import check_pairs, tokens, wordnet

_REMEMBERED = 2**16

class _Stemmer:
    """NLTK's Porter stemmer with a memory."""

    def __init__(self) -> None:
        from nltk.stem.porter import PorterStemmer

        self.stem = functools.lru_cache(maxsize=_REMEMBERED)(PorterStemmer().stem)


class _Synset:
    def __init__(self, names: Iterable[str]) -> None:
        self._lemmas = [wordnet.Lemma(name) for name in names]

    def lemmas(self) -> list[wordnet.Lemma]:
        return self._lemmas


class _Synonyms:
    """WordNet as one pair sees it: a word's synonyms, of all its synsets together, that occur in the reference.

    METEOR joins the lemmas of a word's synsets and looks for the reference's words among them, so the value is that of
    the whole WordNet. NLTK gets here with stems on both sides.
    """

    def __init__(self, reference: Sequence[str]) -> None:
        stem = _stemmer().stem
        self._words = frozenset([stem(word.lower()) for word in reference])

    def synsets(self, word: str) -> tuple[_Synset, ...]:
        names = _synonyms(word) & self._words
        return (_Synset(names),) if names else ()


@functools.lru_cache(maxsize=_REMEMBERED)
def _synonyms(word: str) -> frozenset[str]:
    return frozenset(lemma.name() for synset in wordnet.load().synsets(word) for lemma in synset.lemmas())


_stemmer = functools.cache(_Stemmer)


def score(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    """METEOR of each candidate against its reference, in order: 0 (no word in common) to almost 1.

    Case does not matter; empty texts score 0. English only. Raises InputError for lists that do not pair up.
    """
    from nltk.translate.meteor_score import single_meteor_score

    check_pairs(candidates, references)
    words = dict(zip(texts := list(dict.fromkeys([*candidates, *references])), tokens.tokenize(texts), strict=True))
    return [
        float(
            single_meteor_score(
                words[reference], words[candidate], stemmer=_stemmer(), wordnet=_Synonyms(words[reference])
            )
        )
        for candidate, reference in zip(candidates, references, strict=True)
    ]
