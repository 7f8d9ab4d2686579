"""Which problems of the library the complaints of a review are cases of, and the complaints that only a problem tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.advice.matching import Match, Matcher
from pipeline.core.rows import Sentence, short
from pipeline.reader.base import vector_of
from pipeline.reader.decide import Mention
from pipeline.themes.taxonomy import GENERAL

NEGATIVE = 0.5  # least probability that a sentence in which no theme is complained of is negative


@dataclass(frozen=True)
class _Asked:
    """A sentence whose problem was asked for; `theme`: of which it complains, "" where only a problem could tell."""

    said: Sentence
    theme: str
    match: Match | None


Case = tuple[Mention, Match | None]


def of_review(
    found: Sequence[Mention],
    sentences: Sequence[Sentence],
    trades: Mapping[str, float],
    matcher: Matcher,
    themes: Collection[str],
) -> list[Case]:
    """The mentions of a review, each with what it is a case of, if it is a complaint and that is sure. Where a sentence is
    negative and no theme is complained of, a problem that is sure tells one of `themes`, if nothing else is said about it.
    `trades`: the probability of each trade.
    """
    complaints = [mention for mention in found if mention.sentiment == "negative" and mention.theme != GENERAL]
    asked = list(_asked(complaints, sentences, trades, matcher))
    of_theme = {one.theme: one.match for one in asked if one.theme}
    told = dict(_told(asked, matcher, set(themes) - {mention.theme for mention in found}))
    cases = list[Case]()
    for mention in found:
        if mention in complaints:
            cases.append((mention, of_theme.get(mention.theme)))
        elif mention.theme != GENERAL or mention.sentiment != "negative" or not (complaints or told):
            cases.append((mention, None))  # an overall verdict says nothing beside a subject
    return [*cases, *told.values()]


def _asked(
    complaints: Sequence[Mention], sentences: Sequence[Sentence], trades: Mapping[str, float], matcher: Matcher
) -> Iterator[_Asked]:
    for said in sentences:
        if said.get("vector"):
            held = [mention.theme for mention in complaints if said["start"] <= mention.start < said["end"]]
            for theme in held or ([""] if said["negative"] >= NEGATIVE else []):
                yield _Asked(said, theme, matcher.match(vector_of(said["vector"]), theme, trades))


def _told(asked: Sequence[_Asked], matcher: Matcher, themes: Collection[str]) -> Iterator[tuple[str, Case]]:
    """Theme -> the complaint that a problem alone tells, the last of those of a theme."""
    theme_of = {problem.id: problem.theme for problem in matcher.problems}
    for one in asked:
        if one.match and not one.theme and (theme := theme_of[one.match.problem]) in themes:
            score = short(min(one.said["positive"] - one.said["negative"], -0.01))
            place = one.said["start"], one.said["end"]
            yield theme, (Mention(theme, *place, "negative", score, one.match.probability), one.match)
