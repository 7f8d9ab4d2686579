"""From readings to decisions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends.fake import FakeReader
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS
from pipeline.core.rows import Sentence, SentenceTheme
from pipeline.reader import decide

PLAIN = FakeReader().rules()
STARS = {
    "1": (1.0, 0.0, -1.0),
    "2": (0.5, 0.0, -0.5),
    "3": (0.0, 0.5, 0.0),
    "4": (-0.5, 0.0, 0.5),
    "5": (-1.0, 0.0, 1.0),
}
RULES = dataclasses.replace(
    PLAIN,
    stars=STARS,
    sure={"de": 0.5, decide.ANY: 0.8},
    complaint={"bias": 0.0, "present": 1.0, "negative": 1.0, "stars": 0.5},
    shares={"noise": 0.05, "service": 0.3},
    prior=0.5,
)


def theme(name: str, probability: float = 0.9, negative: float = 0.9, start: int = 0) -> SentenceTheme:
    rest = 1 - negative
    return SentenceTheme(
        theme=name,
        probability=probability,
        negative=negative,
        neutral=0.1 * rest,
        positive=0.9 * rest,
        start=start,
        end=start + 5,
    )


def sentence(*themes: SentenceTheme) -> Sentence:
    return Sentence(start=0, end=20, negative=0.5, neutral=0.2, positive=0.3, wish=0.0, vector=b"", themes=list(themes))


def said(
    *themes: SentenceTheme, stars: float | None = None, of: decide.Rules = RULES, **shares: float
) -> dict[str, str]:
    found = decide.mentions([sentence(*themes)], stars=stars, language="en", shares=shares, of=of)
    return {mention.theme: mention.sentiment for mention in found}


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.sampled_from([None, 1.0, 2.0, 3.0, 4.0, 5.0, 3.5]))
def test_posteriors_are_probabilities_and_follow_the_stars(raw: list[float], stars: float | None) -> None:
    words = decide.words(np.array([raw]) / sum(raw), RULES)
    both = decide.with_stars(words, [stars], RULES)
    assert both.sum() == pytest.approx(1) and words.sum() == pytest.approx(1)
    worst, best = decide.with_stars(words, [1.0], RULES), decide.with_stars(words, [5.0], RULES)
    assert worst[0, 0] >= both[0, 0] - 1e-9 and best[0, 2] >= both[0, 2] - 1e-9
    if stars is None:
        assert both == pytest.approx(words)


def test_languages_without_a_rule_are_read_with_caution() -> None:
    values = np.array([0.6, 0.2, 0.2])
    assert decide.is_sure(values, "de", RULES)
    assert not decide.is_sure(values, "xx", RULES) and not decide.is_sure(values, None, RULES)


def test_a_complaint_outweighs_praise_and_a_verdict_stands_alone() -> None:
    assert said(theme("service", negative=0.1), theme("service", 0.7, 0.9)) == {"service": "negative"}
    assert said(theme("service", negative=0.05)) == {"service": "positive"}
    assert said(theme("general")) == {"general": "negative"}
    assert said(theme("general"), theme("noise")) == {"noise": "negative"}
    assert said(theme("general"), theme("noise", negative=0.02)) == {"general": "negative", "noise": "positive"}


def test_stars_and_what_is_usual_decide_what_is_doubtful() -> None:
    doubtful = theme("noise", 0.35, 0.6)
    assert said(doubtful, stars=1.0) == {"noise": "negative"}
    assert said(doubtful, stars=5.0) == {}
    assert said(doubtful, noise=0.5) == {"noise": "negative"} and said(doubtful, noise=0.001) == {}
    assert said(doubtful) == {}, "as usual as anywhere"


def test_the_threshold_is_the_languages_own() -> None:
    strict = dataclasses.replace(RULES, least={"en": 0.999, decide.ANY: 0.5})
    assert said(theme("noise"), of=strict) == {} and said(theme("noise")) == {"noise": "negative"}


def test_emotions_at_their_thresholds() -> None:
    thresholds = dict.fromkeys(EMOTIONS, 0.4)
    low = dict.fromkeys(EMOTIONS, 0.0)
    assert decide.emotions(low | {"joy": 0.5, "love": 0.7, "neutral": 0.9}, thresholds) == ["love", "joy"]
    assert decide.emotions(low | {"neutral": 0.9}, thresholds) == ["neutral"]
    assert decide.emotions(low | {"anger": 0.3}, thresholds) == ["anger"], "the clearest, if it is clear enough"
    assert decide.emotions(low | {"anger": 0.1}, thresholds) == []


def test_a_share_of_few_reviews_is_drawn_to_the_usual_one() -> None:
    assert decide.shrunk(0, 0, 0.1) == pytest.approx(0.1)
    assert decide.shrunk(30, 30, 0.1) == pytest.approx(0.55)
    assert decide.shrunk(900, 1000, 0.1) == pytest.approx(0.876, abs=1e-3)


def test_rules_are_read_from_the_readers_folder(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        decide.load(tmp_path)  # type: ignore[arg-type]
    shipped = decide.load()
    assert (
        set(shipped.emotions) == set(EMOTIONS)
        and set(shipped.stars) == set("12345")
        and 0 < shipped.least[decide.ANY] < 1
    )
