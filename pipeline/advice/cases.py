"""Which problems of the library the complaints of a review are cases of, and the complaints that only a problem tells.

The matching proposes a few problems for a sentence by its vector; the reader of pairs reads the sentence together with each and
decides. Where a reader has no reader of pairs, the matching decides alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.advice.matching import Match, Matcher
from pipeline.advice.problems import Problem
from pipeline.core.rows import Sentence
from pipeline.reader.base import Pair, PairJudge, around, vector_of
from pipeline.reader.decide import Mention
from pipeline.themes.taxonomy import GENERAL

NEGATIVE = 0.5  # least probability that a sentence in which no theme is complained of is negative
PROPOSED = 5  # problems that are read together with a sentence
LEAST = 0.01  # probability by the matching of a problem that is proposed
# Placeholders until a reader of pairs ships: they are to be fitted on the labels that its training holds out.
PRIOR = 0.3  # how much the matching counts beside the reader of pairs, of logits
SURE = 0.6  # least probability, by both, of a problem that is named


@dataclass(frozen=True)
class Review:
    """A review with what was found in it; `trades`: the probability of each trade."""

    text: str
    found: Sequence[Mention]
    sentences: Sequence[Sentence]
    trades: Mapping[str, float]


@dataclass(frozen=True)
class _Asked:
    """A sentence whose problem is asked for; `theme`: of which it complains, "" where only a problem could tell."""

    said: Sentence
    theme: str
    proposed: Sequence[Match]


CONSTANTS = (NEGATIVE, PROPOSED, LEAST, PRIOR, SURE)  # for fingerprints

Case = tuple[Mention, Match | None]


def statement(problem: Problem) -> str:
    """What a sentence is held against."""
    return f"{problem.name}. {problem.cause}"


def of_reviews(
    reviews: Sequence[Review], matcher: Matcher, judge: PairJudge | None, themes: Collection[str]
) -> list[list[Case]]:
    """Per review, in order, its mentions, each with what it is a case of, if it is a complaint and that is sure. Where a
    sentence is negative and no theme is complained of, a problem that is sure tells one of `themes`, if nothing else is said
    about it.
    """
    asked = [list(_asked(review, matcher)) for review in reviews]
    judged = iter(_judged(reviews, asked, judge, matcher))
    return [
        list(_cases(review, [(one, next(judged)) for one in some], matcher, themes))
        for review, some in zip(reviews, asked, strict=True)
    ]


def _complaints(review: Review) -> list[Mention]:
    return [mention for mention in review.found if mention.sentiment == "negative" and mention.theme != GENERAL]


def _asked(review: Review, matcher: Matcher) -> Iterator[_Asked]:
    complaints = _complaints(review)
    for said in review.sentences:
        if said.get("vector"):
            held = [mention.theme for mention in complaints if said["start"] <= mention.start < said["end"]]
            for theme in held or ([""] if said["negative"] >= NEGATIVE else []):
                ranked = matcher.ranked(vector_of(said["vector"]), theme, review.trades)
                yield _Asked(said, theme, [match for match in ranked[:PROPOSED] if match.probability >= LEAST])


def _judged(
    reviews: Sequence[Review], asked: Sequence[Sequence[_Asked]], judge: PairJudge | None, matcher: Matcher
) -> Iterator[Match | None]:
    """What each sentence asked about is surely a case of."""
    if judge is None:
        yield from (matcher.sure(one.proposed, one.theme) for one in itertools.chain.from_iterable(asked))
        return
    known = {problem.id: problem for problem in matcher.problems}
    pairs = [
        Pair(statement(known[match.problem]), review.text[slice(*place)], around(review.text, *place))
        for review, some in zip(reviews, asked, strict=True)
        for one in some
        for match in one.proposed
        for place in [(one.said["start"], one.said["end"])]
    ]
    values = iter(judge(pairs).tolist() if pairs else [])
    for one in itertools.chain.from_iterable(asked):
        together = [Match(match.problem, _both(next(values), match.probability)) for match in one.proposed]
        best = max(together, key=lambda match: match.probability, default=None)
        yield best if best and best.probability >= SURE else None


def _both(together: float, alone: float) -> float:
    """The probability by the reader of pairs and the matching."""
    logit = _logit(together) + PRIOR * _logit(alone)
    return 1 / (1 + math.exp(-logit))


def _logit(probability: float) -> float:
    probability = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(probability / (1 - probability))


def _cases(
    review: Review, judged: Sequence[tuple[_Asked, Match | None]], matcher: Matcher, themes: Collection[str]
) -> Iterator[Case]:
    complaints = _complaints(review)
    of_theme = {one.theme: match for one, match in judged if one.theme}
    told = dict(_told(judged, matcher, set(themes) - {mention.theme for mention in review.found}))
    for mention in review.found:
        if mention in complaints:
            yield mention, of_theme.get(mention.theme)
        elif mention.theme != GENERAL or mention.sentiment != "negative" or not (complaints or told):
            yield mention, None  # an overall verdict says nothing beside a subject
    yield from told.values()


def _told(
    judged: Sequence[tuple[_Asked, Match | None]], matcher: Matcher, themes: Collection[str]
) -> Iterator[tuple[str, Case]]:
    """Theme -> the complaint that a problem alone tells, the last of those of a theme."""
    theme_of = {problem.id: problem.theme for problem in matcher.problems}
    for one, match in judged:
        if match and not one.theme and (theme := theme_of[match.problem]) in themes:
            score = min(one.said["positive"] - one.said["negative"], -0.01)
            place = one.said["start"], one.said["end"]
            yield theme, (Mention(theme, *place, "negative", score, match.probability), match)
