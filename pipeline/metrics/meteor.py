"""METEOR per pair, by NLTK's own `meteor_score`, on any machine and without a download.

Source: Banerjee and Lavie 2005; Lavie and Agarwal 2007, whose parameters (alpha 0.9, beta 3, gamma 0.5) are NLTK's
defaults. Texts are tokenized as `nltk.word_tokenize` does it (`pipeline.metrics.tokens`), which is also what
`evaluate`'s METEOR does; synonyms come from WordNet 3.0 (`pipeline.metrics.wordnet`). Values equal those of plain NLTK
with its downloaded data; caching tokens, stems and synonyms makes it faster.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from pipeline.core.profile import Profile
from pipeline.metrics import check_pairs, tokens, wordnet
from pipeline.metrics.scorer import Scorer, pairs

_TEXTS = 4096  # texts whose tokens are cached: a reference comes again with every role
_WORDS = 2**16
_tokens: dict[str, list[str]] = {}


class _Stemmer:
    """NLTK's Porter stemmer with a cache."""

    def __init__(self) -> None:
        from nltk.stem.porter import PorterStemmer

        self.stem = functools.lru_cache(maxsize=_WORDS)(PorterStemmer().stem)


_stemmer = functools.cache(_Stemmer)


class _Synonyms:
    """WordNet as one reference sees it: a word's synonyms, of all its synsets together, that occur in the reference.

    METEOR pools the lemmas of a word's synsets and looks for the reference's words among them, so the value is the same as
    with the whole WordNet. NLTK calls it with stems of both texts.
    """

    def __init__(self, reference: Sequence[str]) -> None:
        stem = _stemmer().stem
        self._words = frozenset([stem(word.lower()) for word in reference])

    def synsets(self, word: str) -> tuple[wordnet.Synset, ...]:
        names = _synonyms(word) & self._words
        return (wordnet.Synset(names),) if names else ()


@functools.lru_cache(maxsize=_WORDS)
def _synonyms(word: str) -> set[str]:
    return wordnet.load().synonyms(word)


@functools.lru_cache(maxsize=_TEXTS)
def _synonyms_in(reference: str) -> _Synonyms:
    return _Synonyms(_tokens[reference])


def score(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    """METEOR of each candidate against its reference, in order: 0 (no word in common) to almost 1.

    Case does not matter; empty texts score 0. English only. Raises InputError for lists that do not pair up.
    """
    from nltk.translate.meteor_score import single_meteor_score

    check_pairs(candidates, references)
    if len(_tokens) > _TEXTS:
        _tokens.clear()
    new = [text for text in dict.fromkeys([*candidates, *references]) if text not in _tokens]
    _tokens.update(zip(new, tokens.tokenize(new), strict=True))
    stemmer = _stemmer()
    return [
        float(
            single_meteor_score(
                _tokens[reference], _tokens[candidate], stemmer=stemmer, wordnet=_synonyms_in(reference)
            )
        )
        for candidate, reference in zip(candidates, references, strict=True)
    ]


def scorer(profile: Profile) -> Scorer:
    """Fills `meteor`."""
    return Scorer(
        lambda rows, warehouse: {"meteor": score(*pairs(rows))},
        depends_on={},
        model="nltk, WordNet 3.0",
        settings="alpha=0.9 beta=3 gamma=0.5",
    )
