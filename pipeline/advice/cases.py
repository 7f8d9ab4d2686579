"""Which problems of the library the complaints of a review are cases of, and the complaints that only a problem tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pipeline.advice.matching import Match, Matcher
from pipeline.core.rows import Sentence
from pipeline.reader.base import vector_of
from pipeline.reader.decide import Mention
from pipeline.themes.taxonomy import GENERAL

NEGATIVE = 0.5  # least probability that a sentence in which no theme is complained of is negative


def of_mentions(
    found: Sequence[Mention],
    sentences: Sequence[Sentence],
    trades: Mapping[str, float],
    matcher: Matcher,
    themes: Collection[str],
) -> Iterator[tuple[Mention, Match | None]]:
    """Each mention with what it is a case of, if it is a complaint and that is sure. Where a sentence is negative and no theme
    is complained of, a problem that is sure tells one of `themes`, if nothing else is said about it.
    """
    complaints = [mention for mention in found if mention.sentiment == "negative" and mention.theme != GENERAL]
    unsaid = set(themes) - {mention.theme for mention in found}
    told = _told_by_problems(complaints, sentences, trades, matcher, unsaid)
    for mention in found:
        if mention in complaints:
            said = next((s for s in sentences if s["start"] <= mention.start < s["end"] and s.get("vector")), None)
            yield mention, matcher.match(vector_of(said["vector"]), mention.theme, trades) if said else None
        elif mention.theme != GENERAL or mention.sentiment != "negative" or not (complaints or told):
            yield mention, None  # an overall verdict says nothing beside a subject
    yield from told.values()


def _told_by_problems(
    complaints: Sequence[Mention],
    sentences: Sequence[Sentence],
    trades: Mapping[str, float],
    matcher: Matcher,
    themes: Collection[str],
) -> dict[str, tuple[Mention, Match]]:
    theme_of = {problem.id: problem.theme for problem in matcher.problems}
    told: dict[str, tuple[Mention, Match]] = {}
    for said in sentences:
        held = any(said["start"] <= mention.start < said["end"] for mention in complaints)
        if held or said["negative"] < NEGATIVE or not said.get("vector"):
            continue
        match = matcher.match(vector_of(said["vector"]), "", trades)
        theme = theme_of[match.problem] if match else ""
        if match and theme in themes and theme not in told:
            score = min(said["positive"] - said["negative"], -0.01)
            told[theme] = Mention(theme, said["start"], said["end"], "negative", score, match.probability), match
    return told
