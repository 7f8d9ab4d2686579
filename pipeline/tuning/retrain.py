"""retrain: a challenger of the sentiment head against the champion, on rows that neither was fitted on.

Reads top to bottom: the labelled rows, whether it is time, the challenger, the comparison, the decision, its record. The
truth is what customers say by their stars (or the source by its label), and before that what the owner corrected.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from pipeline.backends import registry
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENT_WORDS, SENTIMENTS, from_stars
from pipeline.core.profile import Profile
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse, open_read_only, sql_file
from pipeline.quality import change, intervals
from pipeline.reader import decide, head
from pipeline.reader.base import vector_of
from pipeline.text.splits import split_by_hash
from pipeline.tuning import champion, record
from pipeline.tuning.champion import Champion
from pipeline.tuning.labelled.records import open_source
from pipeline.tuning.labelled.rows import Columns

ENOUGH = 200  # new labels that are worth a challenger
FEWEST = 50  # new labels with which drift is noticed, and a language or class is compared
LATEST = 20_000  # reviews at most that are looked at: a shop of ten years ago is another one
DRIFT = 0.05  # how far the share that is right may fall
MIX = 0.1  # population stability index of what is said; by convention below it nothing has changed
ALPHA = 0.025
HELD_OUT = {"held out": 1, "fitted": 4}  # by review_id: a row is on one side for ever
FOLDS = {str(fold): 1 for fold in range(5)}  # of new rows: each is judged by a challenger that was fitted without it
NEW_WEIGHT = 3.0  # of a new row beside an old one

PROMOTED, KEPT, ROLLED_BACK = "promoted", "kept", "rolled back"


class Gain(TypedDict):
    """Champion and challenger on the same rows: the shares that they get right, of a class its F1; difference and 95 % interval."""

    rows: str  # all, new, a language; or a class
    n: int
    champion: float
    challenger: float
    gain: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Outcome:
    """What was decided; without `decision` it was not time, and `why` says so."""

    why: str
    decision: str | None = None
    model: str = ""  # what is in use from now on; '' the reader alone
    run_id: str | None = None
    gains: list[Gain] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))

    def as_text(self) -> str:
        """A headline, then a line for each group of rows that was compared: the share that is right, of a class its F1."""
        lines = [f"retrain: {self.decision or 'nothing to do'}: {self.why}"]
        lines += [
            f"  {one['rows']}: {one['champion']:.3f} -> {one['challenger']:.3f} ({one['gain']:+.3f}, "
            f"95 % {one['ci_low']:+.3f} to {one['ci_high']:+.3f}, {one['n']} rows)"
            for one in self.gains
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Rows:
    """The reviews that were read, in order of arrival."""

    words: np.ndarray  # (rows, 3): the reader's probabilities, by the words alone
    vectors: np.ndarray  # (rows, width)
    languages: list[str | None]
    truth: np.ndarray  # index into SENTIMENTS, -1 where nobody says
    is_latest: np.ndarray  # it, or its correction, came after the last decision
    is_new: np.ndarray  # or after what is in use was fitted: no champion can have learned from it
    is_apart: np.ndarray  # on the side that no head is ever fitted on
    fold: np.ndarray  # a name in FOLDS
    is_known: np.ndarray  # to the reader, from its own training: proves nothing
    seen: int  # place of the newest
    corrections: int

    @property
    def compared(self) -> np.ndarray:
        """The rows on which heads are compared: labelled, and new or apart, so that no champion was fitted on them, nor the
        reader.
        """
        chosen: np.ndarray = (self.truth >= 0) & (self.is_apart | self.is_new) & ~self.is_known
        return chosen

    def guesses(self, content: dict[str, Any] | None) -> np.ndarray:
        """Class indices by a head, or by the reader alone."""
        applied = self.words if content is None else head.apply(content, self.words, self.vectors, self.languages)
        classes: np.ndarray = applied.argmax(1)
        return classes


def retrain(path: Path, profile: Profile, corrections: Path | None = None, force: bool = False) -> Outcome:
    """Decides whether a new head is to be used with the warehouse at `path`, and records it there. Nothing is fitted, or
    recorded, before there are enough new labels or something has drifted, unless `force`.

    `corrections`: a file with the columns review_id and sentiment, which go before stars. Raises InputError for a profile
    that names a model, head or calibration of its own, unusable corrections, and too few labels to compare anything.
    """
    require_open(profile)
    record.require_writable(path)
    started = now()
    corrected = {} if corrections is None else _corrections(corrections)
    with contextlib.closing(open_read_only(path)) as warehouse:
        current, decisions = champion.of(warehouse, profile), _decisions(warehouse, profile)
        rows = _rows(warehouse, profile, corrected, decisions)
    content = json.loads(current["head"]) if current["head"] else None
    due, why = _is_due(rows, rows.guesses(content), bool(decisions))
    if not due and not force:
        return Outcome(why, model=current["model"])
    challenger = _fit(rows)
    gains = _compare(rows, rows.guesses(content), _crossed(rows, rows.guesses(challenger)))
    is_better, because = _decide(gains)
    text = head.content(challenger)
    decision, name = PROMOTED if is_better else KEPT, head.digest(text)
    outcome = Outcome(f"{why}; {because}", decision, name if is_better else current["model"], gains=gains)
    row = _row(rows, outcome, name, current, profile) | {"head": text if is_better else None}
    return _recorded(path, profile, started, outcome, row)


def roll_back(path: Path, profile: Profile) -> Outcome:
    """Uses again what was in use before the last promotion; records it. Raises InputError if nothing was promoted."""
    require_open(profile)
    started = now()
    with contextlib.closing(open_read_only(path)) as warehouse:
        current, decisions = champion.of(warehouse, profile), _decisions(warehouse, profile)
    if not current["model"]:
        raise InputError(f"Nothing to roll back in {path}: the reader is used as it is shipped.")
    before = current["before"] or ""
    outcome = Outcome(f"{current['model']} is no longer used, but {before or 'the reader alone'}", ROLLED_BACK, before)
    kept = {key: decisions[-1][key] for key in ("reader", "seen", "labels", "corrections")}
    row = kept | {"decision": ROLLED_BACK, "model": before, "champion": current["model"], "why": outcome.why}
    return _recorded(path, profile, started, outcome, row | {"new_labels": 0, "gains": []})


def require_open(profile: Profile) -> None:
    """Raises InputError for a profile whose sentiment is not the reader's to judge."""
    if not champion.is_open(profile):
        raise InputError(
            f"Profile {profile.name} names a sentiment model, head or calibration of its own, which retrain leaves alone. "
            "Tune that with finetune or calibrate, or take them out."
        )


# --- The rows ---


def _corrections(file: Path) -> dict[str, str]:
    """review_id -> class, from a file with the columns review_id and sentiment, such as rows of an export that were mended."""
    found = {}
    for row in open_source(str(file), Columns("review_id", "sentiment")).rows:
        label = SENTIMENT_WORDS.get(row.label.strip().lower())
        if label is None:
            raise InputError(f"{file}: {row.label[:30]!r} is no sentiment. Write negative, neutral or positive.")
        found[row.text.strip()] = label
    return found


def _decisions(warehouse: Warehouse, profile: Profile) -> list[dict[str, Any]]:
    """All decisions about heads on the profile's reader, the latest last: what was decided about other weights is over."""
    return warehouse.query(
        "SELECT m.* FROM models m JOIN runs r USING (run_id) WHERE m.reader = ? ORDER BY r.number",
        [registry.reader_identity(profile.reader)],
    )


def _rows(
    warehouse: Warehouse, profile: Profile, corrected: Mapping[str, str], decisions: Sequence[Mapping[str, Any]]
) -> Rows:
    found = warehouse.query(sql_file("reading", "labelled.sql"), {"latest": LATEST})
    if not found:
        raise InputError(f"No review of {warehouse.path} has been read yet. Run first: review-insights run")
    rules = registry.reader(profile.reader).rules()
    labels = [corrected.get(row["review_id"]) or row["label"] or _starred(row["stars"]) for row in found]
    is_corrected = np.array([row["review_id"] in corrected for row in found])
    places = np.array([row["place"] for row in found])

    def since(decision: Mapping[str, Any] | None) -> np.ndarray:
        if decision is None:
            return np.ones(len(found), dtype=bool)
        later: np.ndarray = (places > decision["seen"]) | (
            is_corrected & (is_corrected.sum() > decision["corrections"])
        )
        return later

    in_use = [one for one in decisions if one["decision"] != KEPT] or decisions[:1]
    return Rows(
        decide.words(np.array([row["words"] for row in found]), rules),
        np.stack([vector_of(row["vector"]) for row in found]),
        [row["language"] for row in found],
        np.array([SENTIMENTS.index(label) if label else -1 for label in labels]),
        since(decisions[-1] if decisions else None),
        since(in_use[-1] if in_use else None),
        np.array([split_by_hash(row["review_id"], HELD_OUT) == "held out" for row in found]),
        np.array([split_by_hash(row["review_id"][::-1], FOLDS) for row in found]),
        np.array([row["known"] for row in found]),
        int(places.max()),
        int(is_corrected.sum()),
    )


def _starred(stars: float | None) -> str | None:
    return None if stars is None else from_stars(stars)


# --- Whether it is time ---


def _is_due(rows: Rows, guesses: np.ndarray, has_decided: bool) -> tuple[bool, str]:
    """(whether a challenger is worth fitting, why or why not)."""
    new = int((rows.is_latest & (rows.truth >= 0)).sum())
    if not rows.compared.any():
        return False, "no labelled review that the reader does not know from its own training"
    if not has_decided:
        return new >= ENOUGH, f"{new} labelled reviews, of which none was learned from yet (it takes {ENOUGH})"
    signs = [sign for sign in (_fallen(rows, guesses), _mixed(rows, guesses)) if sign]
    if new >= ENOUGH:
        signs.insert(0, f"{new} new labels")
    if signs and new >= FEWEST:
        return True, ", ".join(signs)
    if signs:
        return (
            False,
            f"{', '.join(signs)}, but there are only {new} new labels (it takes {FEWEST}); correct some reviews",
        )
    return False, f"{new} new labels (it takes {ENOUGH}), and nothing has drifted"


def _fallen(rows: Rows, guesses: np.ndarray) -> str | None:
    """Whether the champion is right less often on what is new than it was on old rows that it had not seen either."""
    asked = (rows.truth >= 0) & ~rows.is_known
    old, new = asked & ~rows.is_latest & rows.is_apart, asked & rows.is_latest
    if min(old.sum(), new.sum()) < FEWEST:
        return None
    hits = guesses == rows.truth
    then, now_ = ((int(hits[at].sum()), int(at.sum())) for at in (old, new))
    moved = change.share(then, now_, ALPHA)
    if moved.moved >= -max(DRIFT, moved.noise):
        return None
    return f"drift: {moved.after:.3f} of the new ones are right, {moved.before:.3f} of the old ones were"


def _mixed(rows: Rows, guesses: np.ndarray) -> str | None:
    """Whether the mix of what is said has changed, which needs no labels."""
    old, new = (
        {name: int((guesses[at] == index).sum()) for index, name in enumerate(SENTIMENTS)}
        for at in (~rows.is_latest, rows.is_latest)
    )
    if min(sum(old.values()), sum(new.values())) < FEWEST:
        return None
    moved = change.stability(old, new, ALPHA)
    if moved.after <= max(MIX, moved.noise):
        return None
    return f"drift: the mix of what is said has changed (stability index {moved.after:.2f})"


# --- Challenger and comparison ---


def _fit(rows: Rows, without: np.ndarray | None = None) -> dict[str, Any]:
    """A head fitted on old and new rows beside each other, but those on the side apart, and those `without`. Rare classes count
    for more, by a root, so that none is given up.
    """
    left_out = rows.is_apart if without is None else rows.is_apart | without
    at = np.flatnonzero((rows.truth >= 0) & ~left_out)
    if len(at) < FEWEST:
        raise InputError(f"Only {len(at)} labelled reviews to learn from; {FEWEST} are needed.")
    languages = [rows.languages[index] for index in at]
    truth = rows.truth[at]
    rarity = len(at) / (len(SENTIMENTS) * np.maximum(np.bincount(truth, minlength=len(SENTIMENTS)), 1))
    weights = np.sqrt(rarity[truth]) * np.where(rows.is_new[at] & ~rows.is_new[at].all(), NEW_WEIGHT, 1.0)
    return head.fit(rows.words[at], rows.vectors[at], truth, languages, weights)


def _crossed(rows: Rows, guesses: np.ndarray) -> np.ndarray:
    """The challenger's guesses, where it was fitted on a new row those of one that was fitted without its fold."""
    crossed = guesses.copy()
    for fold in FOLDS:
        at = rows.is_new & ~rows.is_apart & (rows.fold == fold)
        if at.any():
            crossed[at] = rows.guesses(_fit(rows, at))[at]
    return crossed


def _compare(rows: Rows, by_champion: np.ndarray, by_challenger: np.ndarray) -> list[Gain]:
    """All rows that can be compared, the new ones and each language, if they are FEWEST or more; and each class."""
    asked = rows.compared
    if asked.sum() < FEWEST:
        raise InputError(f"Only {asked.sum()} labelled reviews to compare on; {FEWEST} are needed.")
    languages = np.array([name or "" for name in rows.languages])
    groups = {"all": asked, "new": asked & rows.is_new}
    groups |= {str(name): asked & (languages == name) for name in np.unique(languages[asked]) if name}
    shares = [
        _share(name, *(guesses[at] == rows.truth[at] for guesses in (by_champion, by_challenger)))
        for name, at in groups.items()
        if at.sum() >= FEWEST
    ]
    return shares + _classes(rows.truth[asked], by_champion[asked], by_challenger[asked])


def _share(name: str, before: np.ndarray, after: np.ndarray) -> Gain:
    """How many are right, by champion and by challenger."""
    gain, low, high = intervals.paired_bootstrap(after.astype(float), before.astype(float))
    assert gain is not None and low is not None and high is not None, "there are rows"
    return _gain(name, len(before), (float(before.mean()), float(after.mean())), (low, high))


def _classes(truth: np.ndarray, by_champion: np.ndarray, by_challenger: np.ndarray) -> list[Gain]:
    """F1 of each class that is there, by champion and by challenger, on the same resamples of the rows."""
    names = np.array(SENTIMENTS)
    pairs = [list(zip(names[truth], names[guesses], strict=True)) for guesses in (by_champion, by_challenger)]
    classes, sides = change.bootstrap_f1(pairs, np.random.default_rng(intervals.SEED), intervals.RESAMPLES)
    found = []
    for name, before, after in zip(classes, sides[0].T, sides[1].T, strict=True):
        if n := int((names[truth] == name).sum()):
            low, high = np.nanquantile((after - before)[1:], ((1 - intervals.LEVEL) / 2, (1 + intervals.LEVEL) / 2))
            found.append(_gain(str(name), n, (float(before[0]), float(after[0])), (float(low), float(high))))
    return found


def _gain(name: str, n: int, figures: tuple[float, float], interval: tuple[float, float]) -> Gain:
    before, after = figures
    return Gain(
        rows=name, n=n, champion=before, challenger=after, gain=after - before, ci_low=interval[0], ci_high=interval[1]
    )


def _decide(gains: Sequence[Gain]) -> tuple[bool, str]:
    """(whether the challenger is clearly better on all rows or on the new ones, and clearly worse on no part, what decided that)."""
    wholes = {"all": "all rows", "new": "the new rows"}
    better = [wholes[one["rows"]] for one in gains if one["rows"] in wholes and one["ci_low"] > 0]
    if not better:
        return False, "the challenger is not clearly better"
    told = f"the challenger is better on {' and '.join(better)}"
    if worse := [one["rows"] for one in gains if one["ci_high"] < 0]:
        return False, f"{told}, but worse on: {', '.join(worse)}"
    return True, f"{told}, and clearly worse nowhere"


# --- The record ---


def _row(rows: Rows, outcome: Outcome, name: str, current: Champion, profile: Profile) -> dict[str, Any]:
    """A row of `models`, without run_id and head."""
    labelled = rows.truth >= 0
    return {
        "decision": outcome.decision,
        "model": name,
        "champion": current["model"],
        "why": outcome.why,
        "reader": registry.reader_identity(profile.reader),
        "seen": rows.seen,
        "labels": int(labelled.sum()),
        "new_labels": int((labelled & rows.is_latest).sum()),
        "corrections": rows.corrections,
        "gains": outcome.gains,
    }


def _recorded(path: Path, profile: Profile, started: datetime, outcome: Outcome, row: dict[str, Any]) -> Outcome:
    seconds = {"retrain": round((now() - started).total_seconds(), 2)}
    run_id = record.publish_results(path, "retrain", profile.name, started, seconds, decision=row)
    return replace(outcome, run_id=run_id)
