from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.advice import reply

# What would admit a fault or promise something, in any language of the drafts.
FORBIDDEN = re.compile(
    r"our (?:fault|mistake|error|failure)|we (?:were|are) (?:wrong|to blame|responsible|at fault)|we failed|sorry (?:that we|for our)|"
    r"apologi|negligen|liab|should (?:not|never) have happened|refund|reimburs|compensat|voucher|free of charge|discount|"
    r"guarantee|unser(?:e[rmns]?)? (?:fehler|schuld|versäumnis)|entschädig|erstatt|gutschein|haft(?:en|ung)|entschuldig|"
    r"notre (?:faute|erreur)|rembours|dédommag|excus|nuestr[ao] (?:culpa|error)|reembols|compens|disculp|"
    r"nostr[ao] (?:colpa|errore)|rimbors|risarc|scus|noss[ao] (?:culpa|erro)|desculp|vores (?:skyld|fejl)|refunder|undskyld|"
    r"onze (?:schuld|fout)|vergoed|excuses|我们的(?:错|过失|责任)|道歉|抱歉|赔偿|退款|"
    r"申し訳|お詫び|弊社の(?:責任|過失)|返金|補償|kesalahan kami|ganti rugi|pengembalian|maaf",
    re.IGNORECASE,
)
REVIEW = {
    "text": "Lovely terrace, great wine. The soup was stone cold and the waiter never came back.",
    "language": "en",
    "business": "The Old Mill",
    "themes": [
        {"theme": "drinks", "evidence": "great wine", "sentiment": "positive", "score": 0.9},
        {"theme": "food_temperature", "evidence": "The soup was stone cold", "sentiment": "negative", "score": -0.9},
        {"theme": "service", "evidence": "the waiter never came back.", "sentiment": "negative", "score": -0.7},
    ],
}


def test_a_draft_is_specific_and_in_the_customers_words() -> None:
    draft = reply.draft(REVIEW, {"food_temperature": "Food temperature", "service": "Service"})
    assert draft.quotes == ("The soup was stone cold", "the waiter never came back", "great wine")
    assert "food temperature" in draft.text and "“The soup was stone cold”" in draft.text
    assert "The Old Mill" in draft.text and 40 <= len(draft.text.split()) <= 140
    assert reply.draft(REVIEW) == reply.draft(dict(REVIEW)), "the same review always gets the same draft"


@pytest.mark.parametrize("language", reply.templates())
def test_no_language_admits_a_fault_or_promises_payment(language: str) -> None:
    template = asdict(reply.templates()[language])
    template.pop("marks")
    sentences = [text for value in template.values() for text in ([value] if isinstance(value, str) else value)]
    assert not [text for text in sentences if FORBIDDEN.search(text)]
    for kind in ("complaint", "also", "praise"):
        assert all("{quote}" in text for text in template[kind])
    for number in range(12):  # every variant comes up
        review = {"text": f"Soup {number} was cold", "language": language, "business": "Mill" if number % 2 else None}
        draft = reply.draft(review)
        assert draft.language == language and draft.quotes[0] in review["text"] and draft.quotes[0] in draft.text
        assert "{" not in draft.text and not FORBIDDEN.search(draft.text)


def test_forbidden_phrases_are_found() -> None:
    for text in (
        "Sorry for our slow service",
        "We apologise",
        "Es war unser Fehler",
        "大変申し訳ございません",
        "a full refund",
    ):
        assert FORBIDDEN.search(text)


def test_a_language_without_templates_gets_english() -> None:
    assert reply.draft(REVIEW | {"language": "fi"}).language == "en"
    assert reply.draft(REVIEW | {"language": None}).language == "en"


@given(st.text(min_size=1), st.one_of(st.none(), st.text()), st.sampled_from(["en", "fr", "ja", "xx"]))
def test_whatever_was_written_the_quotes_are_verbatim(text: str, business: str | None, language: str) -> None:
    draft = reply.draft({"text": text, "language": language, "business": business})
    assert all(quote in text and quote in draft.text for quote in draft.quotes)
    themes = [{"theme": "x", "evidence": text, "sentiment": "negative", "score": None}]
    draft = reply.draft({"text": text, "language": language, "business": business, "themes": themes})
    assert all(quote in text and len(quote) <= reply.LONGEST for quote in draft.quotes)


def test_a_long_complaint_is_cut_between_words() -> None:
    text = "The room smelled of paint and the window would not open at all, " * 4
    (quote,) = reply.draft(
        {"text": text, "themes": [{"theme": "smell", "evidence": text, "sentiment": "negative", "score": -1}]}
    ).quotes
    assert text.startswith(quote) and len(quote) <= reply.LONGEST and text[len(quote)] in " ,"


def test_quotation_marks_inside_a_quote_change_the_outer_ones() -> None:
    review = {"text": "They called it “fresh” bread", "language": "en"}
    assert "«They called it “fresh” bread»" in reply.draft(review).text


@pytest.mark.parametrize("language", sorted(reply.templates()))
@pytest.mark.parametrize("business", [None, "Blue Cafe"])
def test_a_platform_s_limit_is_kept(language: str, business: str | None) -> None:
    said = "the app signs me out every single time that I put the phone down, and then wants a code that never comes"
    themes = [
        {"theme": theme, "evidence": words, "sentiment": polarity, "score": score}
        for theme, words, polarity, score in (
            ("login", said, "negative", -0.9),
            ("battery", "and it eats the battery", "negative", -0.7),
            ("design", "lovely colors", "positive", 0.9),
        )
    ]
    review = {
        "text": f"{said}, {themes[1]['evidence']}, {themes[2]['evidence']}",
        "language": language,
        "business": business,
    }
    review["themes"] = themes
    whole, short = reply.draft(review), reply.draft(review | {"platform": "google_play"})
    assert len(short.text) <= 350 and short.language == language
    assert all(quote in short.text for quote in short.quotes)
    assert (short.text == whole.text) == (len(whole.text) <= 350)
    assert reply.draft(review | {"platform": "trustpilot"}) == whole
