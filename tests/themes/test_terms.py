"""Which words mention an aspect, and in which clause."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.repair import repair
from pipeline.text.sentences import sentence_spans
from pipeline.themes.taxonomy import Aspect, load_aspects
from pipeline.themes.terms import find_mentions
from tests.text.pieces import pieces

ASPECTS = load_aspects()
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "da", "nl", "zh", "ja")


def about(text: str, language: str | None = "en") -> set[str]:
    return {mention.aspect_id for mention in find_mentions(text, language, ASPECTS)}


@pytest.mark.parametrize(
    ("text", "language", "aspect"),
    [
        ("We stood there and waited for ages", "en", "waiting_time"),
        ("THE WAITING-TIME was absurd", "en", "waiting_time"),
        ("They didn’t care at all", "en", "staff_attitude"),
        ("Lukewarm soup, twice", "en", "food_temperature"),
        ("A resort  fee nobody had mentioned", "en", "hidden_fees"),
        ("My card was charged twice", "en", "billing"),
        ("The Wi-Fi dropped every hour", "en", "wifi"),
        ("It keeps crashing since Monday", "en", "app_stability"),
        ("The sleeves are huge and it runs large", "en", "sizing_fit"),
        ("They lost my suitcase", "en", "luggage"),
        ("Two screws and the manual were missing", "en", "missing_item"),
        ("The handle snapped off in May", "en", "durability"),
        ("Please bring back the feature", "en", "app_features"),
        ("It is not compatible with my tablet", "en", "compatibility"),
        ("They share your data with anybody", "en", "privacy"),
        ("The gate agent called no groups at all", "en", "boarding"),
        ("Bald tyres and a warning light on the dash", "en", "vehicle_condition"),
        ("The shop cancelled my order overnight", "en", "order_cancelled"),
        ("Assembly took us a whole evening", "en", "setup_instructions"),
        ("Our window overlooks the bins", "en", "view"),
        ("We woke up with bed bug bites", "en", "pests"),
        ("My account was hacked in June", "en", "account_security"),
        ("The plot is thin and the actors are bored", "en", "media_content"),
        ("They denied my claim without a reason", "en", "claims"),
        ("Das Personal war unfreundlich", "de", "staff_attitude"),
        ("Es gab eine Kakerlake im Flur", "de", "pests"),
        ("Die Garantie gilt angeblich nicht", "de", "claims"),
        ("L'aspirateur est tombé en panne en mars", "fr", "durability"),
        ("Cancelaron mi pedido sin avisar", "es", "order_cancelled"),
        ("La trama è noiosa", "it", "media_content"),
        ("Der mangler en skrue", "da", "missing_item"),
        ("耳机用了几天就坏", "zh", "durability"),
        ("組み立てが大変でした", "ja", "setup_instructions"),
        ("Die Rechnung stimmte nicht", "de", "billing"),
        ("On a attendu une heure", "fr", "waiting_time"),
        ("El camarero nos ignoró", "es", "service"),
        ("La camera era sporca", "it", "cleanliness"),
        ("O quarto cheirava a mofo", "pt", "smell"),
        ("Maskinerne er i stykker", "da", "equipment"),
        ("De bezorging was te laat", "nl", "delivery"),
        ("米饭没熟还有头发", "zh", "cleanliness"),
        ("wifi很差，等了2小时", "zh", "wifi"),
        ("荷物がまだ届きません", "ja", "delivery"),
        ("Der Support war toll, the staff auch", "de", "staff_attitude"),  # English is tried in every language
        ("Das Personal war unfreundlich", None, "staff_attitude"),  # unknown: all languages
        ("Die Wartezeit war lang", "pl", "waiting_time"),  # not in the playbook: all languages
        ("米饭没熟还有头发", "zh-cn", "cleanliness"),
    ],
)
def test_an_aspect_is_found(text: str, language: str | None, aspect: str) -> None:
    assert aspect in about(text, language)


@pytest.mark.parametrize(
    ("text", "language", "aspect"),
    [
        ("Bill and Penny were great company", "en", "billing"),
        ("There is room for improvement", "en", "room_condition"),
        ("Ice cold beer and a cold draft by the glass", "en", "food_temperature"),
        ("Room service took an hour", "en", "room_condition"),
        ("Avoid at all costs", "en", "value_for_money"),
        ("At the check-in desk nobody smiled", "en", "billing"),
        ("I want my money back", "en", "value_for_money"),
        ("Luft nach oben bleibt", "de", "temperature"),
        ("Laut Anzeige geöffnet", "de", "noise"),
        ("Personal war nett", "en", "staff_attitude"),  # another language's words do not count
        ("weightless and subservient", "en", "service"),  # whole words only
        ("They cancelled our flight at midnight", "en", "order_cancelled"),
        ("Full of bugs since the update", "en", "pests"),
        ("The wine pairing was superb", "en", "compatibility"),
        ("She snapped at me", "en", "durability"),
    ],
)
def test_an_aspect_is_not_found(text: str, language: str | None, aspect: str) -> None:
    assert aspect not in about(text, language)


def test_a_mention_is_the_clause_that_speaks_of_it() -> None:
    text = "Loved the view. The soup was tasty but the waiter was rude to us. The soup, again, was hot."
    found = [
        (mention.aspect_id, text[mention.start : mention.end], mention.term)
        for mention in find_mentions(text, "en", ASPECTS)
    ]
    assert found == [
        ("view", "Loved the view.", "the view"),
        ("food_quality", "The soup was tasty", "soup*"),
        ("service", "but the waiter was rude to us.", "waiter*"),
        ("staff_attitude", "but the waiter was rude to us.", "rude"),
        ("food_quality", "The soup, again, was hot.", "soup*"),
    ]


def test_positions_hold_where_lower_case_is_longer_than_upper_case() -> None:
    text = "İİİİ İstanbul. The waiter was rude."
    assert {text[m.start : m.end] for m in find_mentions(text, "en", ASPECTS)} == {"The waiter was rude."}


@given(
    st.one_of(st.text(max_size=200), st.lists(pieces, max_size=20).map("".join)),
    st.sampled_from([*LANGUAGES, None, "xx"]),
)
def test_mentions_are_clauses_of_the_text(text: str, language: str | None) -> None:
    spans = set(sentence_spans(text))
    assert all((mention.start, mention.end) in spans for mention in find_mentions(text, language, ASPECTS))


# --- Real reviews ---

SOURCES = {
    "yelp_10k.csv": ("en", "stars", ("text",), 0.8),
    "womens_clothing.csv": ("en", "Rating", ("Title", "Review Text"), 0.8),
    "british_airways.csv": ("en", None, ("Review",), 0.8),
    "booking_boston.csv": ("en", None, ("review_text_negative",), 0.8),
    "places_leipzig_de.csv": ("de", "review_rating", ("review_text",), 0.6),
    "gyms_trustpilot_da.csv": ("da", "rating", ("title", "review"), 0.6),
    "waimai_zh.csv": ("zh", "label", ("review",), 0.6),
}


@pytest.mark.parametrize("name", SOURCES)
def test_most_unhappy_reviews_speak_of_an_aspect(name: str, shared_data: Path) -> None:
    language, stars, columns, least = SOURCES[name]
    with (shared_data / "reviews" / name).open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if stars is None or row[stars] in ("0", "1", "2", "3")]
    texts = [
        repair("\n".join(row[column] for column in columns))
        for row in rows
        if name != "waimai_zh.csv" or row["label"] == "0"
    ]
    texts = [text for text in texts if len(text) > 12 or language == "zh"][::12]  # "N/A" is no review
    assert len(texts) > 20
    assert sum(bool(find_mentions(text, language, ASPECTS)) for text in texts) / len(texts) >= least


@pytest.mark.parametrize(
    ("text", "language", "surface"),
    [
        ("The WAITERS were kind.", "en", "WAITERS"),
        ("We stood in  Line all day.", "en", None),
        ("Delivery took 3 weeks", "en", "Delivery"),
        ("外卖2小时", "zh", "2小时"),
    ],
)
def test_a_mention_holds_the_term_as_it_was_written(text: str, language: str, surface: str | None) -> None:
    mentions = find_mentions(text, language, ASPECTS)
    assert all(mention.surface in text[mention.start : mention.end] for mention in mentions)
    assert surface is None or surface in {mention.surface for mention in mentions}, mentions


def test_korean_terms_are_words_although_the_script_stands_behind_the_chinese_one() -> None:
    aspect = Aspect("queue", "Queue", (("ko", ("대기", "줄이 길*")),), (), ())
    found = find_mentions("대기 시간이 길었고 줄이 길었어요", "ko", (aspect,))
    assert [mention.surface for mention in found] == ["대기"]
    assert [mention.surface for mention in find_mentions("줄이 길었어요", "ko", (aspect,))] == ["줄이 길었어요"]
