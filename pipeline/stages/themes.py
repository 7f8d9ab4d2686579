"""themes: what a review speaks of, what it says about it, and the shortest piece of text that proves it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, TypeVar

from pipeline.advice import cases, matching
from pipeline.advice.problems import Problem, problems_of, record_problems
from pipeline.backends import registry
from pipeline.core.profile import Profile, Reader
from pipeline.core.rows import RatedReview, Sentence, SentenceTheme
from pipeline.core.stage import Context, Stage
from pipeline.core.warehouse import sql_file
from pipeline.reader import decide
from pipeline.stages.read import READ
from pipeline.themes import own, sub_ratings
from pipeline.themes.labels import record_labels
from pipeline.themes.taxonomy import Aspect, load_taxonomy, taxonomy_file

_Said = TypeVar("_Said", Sentence, SentenceTheme)
Shares = Mapping[str, float]  # theme -> share of a source's reviews that speak of it


class ReadSentences(RatedReview):
    """A review with its sentences as they were read; `liked` and `disliked`: what its writer put into two boxes."""

    source: str
    business: str | None
    liked: str | None
    disliked: str | None
    attributes: dict[str, str] | None
    sentences: list[Sentence] | None


class ThemeRow(TypedDict):
    """A `ThemeMention` of a review; only theme "" if it has none."""

    review_id: str
    theme: str
    evidence: NotRequired[str]
    sentiment: NotRequired[str]
    score: NotRequired[float]
    probability: NotRequired[float]  # that it is so
    problem: NotRequired[str | None]  # of the library, what a complaint is a case of
    problem_probability: NotRequired[float | None]


def spec(profile: Profile) -> dict[str, Any]:
    """What themes depend on."""
    taxonomy = load_taxonomy(taxonomy_file(profile))
    aspects = taxonomy.aspects
    terms = repr([(aspect.id, aspect.terms, aspect.examples, aspect.description) for aspect in aspects])
    return {
        "version": 6,  # 3: the reader's; 4: ratings of a theme by itself; 5: problems; 6: complaints by their problem alone
        "terms": hashlib.sha256(terms.encode()).hexdigest(),
        "close": own.CLOSE,
        "ratings": sub_ratings.columns(aspects),
        "rules": registry.rules_identity(profile.reader),
        "problems": [_library(problems_of(taxonomy_file(profile))), cases.NEGATIVE],
        **({"trade": taxonomy.trade} if taxonomy.trade else {}),
    }


def transform(rows: Sequence[ReadSentences], context: Context) -> list[ThemeRow]:
    """Per review and theme the mention that counts most; one row without evidence if a review mentions none."""
    own_taxonomy = load_taxonomy(taxonomy_file(context.profile))
    aspects = {aspect.id: aspect for aspect in own_taxonomy.aspects}
    reader = registry.reader(context.profile.reader)
    rules = reader.rules()
    shares = _shares(rows, context, rules)
    mine = [aspect for aspect in aspects.values() if aspect.id not in rules.shares]
    rated = sub_ratings.columns(aspects.values())
    vectors = _vectors(tuple(own.texts_of(mine)), context.profile.reader)
    trades = _trades(shares, rules, own_taxonomy.trade)
    matcher = _matcher(context.profile.reader, problems_of(taxonomy_file(context.profile)))
    found_themes = list[ThemeRow]()
    for row in rows:
        place = row["source"], row["business"] or ""
        sentences = [_in_its_box(_of_taxonomy(sentence, aspects), row) for sentence in row["sentences"] or ()]
        mentions = decide.mentions(
            own.with_own_themes(row["text"], row["language"], sentences, mine, vectors),
            stars=row["stars"],
            language=row["language"],
            shares=shares[place],
            ratings=sub_ratings.of_themes(row["attributes"], rated),
            of=rules,
        )
        found = cases.of_review(mentions, sentences, trades[place], matcher, aspects)
        found_themes += _rows(row["review_id"], row["text"], found)
    return found_themes


def _rows(review_id: str, text: str, found: Sequence[cases.Case]) -> list[ThemeRow]:
    return [
        ThemeRow(
            review_id=review_id,
            theme=mention.theme,
            evidence=text[mention.start : mention.end],
            sentiment=mention.sentiment,
            score=mention.score,
            probability=mention.probability,
            problem=match.problem if match else None,
            problem_probability=match.probability if match else None,
        )
        for mention, match in found
    ] or [ThemeRow(review_id=review_id, theme="")]


@functools.lru_cache(maxsize=4)  # asked for by the fingerprint of every stage below
def _library(problems: tuple[Problem, ...]) -> str:
    return matching.identity(problems)


@functools.lru_cache(maxsize=4)
def _matcher(section: Reader, problems: tuple[Problem, ...]) -> matching.Matcher:
    return matching.load(problems, section.folder, registry.reader(section).read)


def _trades(
    shares: Mapping[tuple[str, str], Shares], rules: decide.Rules, trade: str
) -> dict[tuple[str, str], dict[str, float]]:
    """Place -> the probability of each trade: as the playbook says, else by what its customers speak of."""
    taxonomy = load_taxonomy()
    if trade:
        return {place: {name: float(name == trade) for name in taxonomy.trades} for place in shares}
    return {place: matching.trades_of(found, rules.shares, taxonomy) for place, found in shares.items()}


@functools.lru_cache(maxsize=4)  # asked for every batch
def _vectors(texts: tuple[tuple[str, str], ...], section: Reader) -> own.Vectors:
    return own.vectors_of(texts, registry.reader(section).read)


def _of_taxonomy(sentence: Sentence, aspects: Mapping[str, Aspect]) -> Sentence:
    """A sentence without themes that the playbook does not have: they must not outdo those that it has."""
    return Sentence(**{**sentence, "themes": [theme for theme in sentence["themes"] if theme["theme"] in aspects]})


def _in_its_box(sentence: Sentence, row: ReadSentences) -> Sentence:
    """A sentence with the polarity that its box gives it: what was liked is no complaint, what was not is no praise."""
    text = row["text"][sentence["start"] : sentence["end"]]
    liked, disliked = (text in (row[box] or "") for box in ("liked", "disliked"))
    if liked == disliked:
        return sentence
    doubted = "negative" if liked else "positive"
    changed = _doubting(sentence, doubted)
    changed["themes"] = [_doubting(theme, doubted) for theme in sentence["themes"]]
    return changed


def _doubting(said: _Said, polarity: str) -> _Said:
    """With this polarity's odds divided by ten: a box is strong evidence, but people also write into the wrong one."""
    negative = said["negative"] * (0.1 if polarity == "negative" else 1)
    positive = said["positive"] * (0.1 if polarity == "positive" else 1)
    total = (negative + said["neutral"] + positive) or 1.0
    changed = said.copy()
    changed["negative"], changed["neutral"], changed["positive"] = (
        negative / total,
        said["neutral"] / total,
        positive / total,
    )
    return changed


def _shares(rows: Sequence[ReadSentences], context: Context, rules: decide.Rules) -> dict[tuple[str, str], Shares]:
    """(source, business) -> the shares of its themes: drawn towards those of its source, and these towards the usual ones."""
    places = sorted({(row["source"], row["business"] or "") for row in rows})
    totals: dict[tuple[str, str], dict[str, float]] = {}
    reviews: dict[tuple[str, str], int] = {}
    for row in context.warehouse.query(
        sql_file("reading", "theme_shares.sql"),
        {"sources": [source for source, _ in places], "businesses": [business for _, business in places]},
    ):
        place = row["source"], row["business"]
        totals.setdefault(place, {})[row["theme"]] = row["total"]
        reviews[place] = row["reviews"]  # the same for each theme; a theme without a row is one that nobody speaks of

    def drawn(place: tuple[str, str], usual: Shares) -> Shares:
        of_place = totals.get(place, {})
        return {
            theme: decide.shrunk(of_place.get(theme, 0.0), reviews.get(place, 0), share)
            for theme, share in usual.items()
        }

    shares = {source: drawn((source, ""), rules.shares) for source, _ in places}
    return {
        (source, business): drawn((source, business), shares[source]) if business else shares[source]
        for source, business in places
    }


def finish(context: Context) -> None:
    """What the themes and problems found are called, for readers of the warehouse."""
    record_labels(context)
    record_problems(context)


THEMES = Stage("themes", ("review_id", "theme"), spec, transform, parents=(READ,), finish=finish, outlives_text=True)
