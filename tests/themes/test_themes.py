"""Themes: the playbook file, where sentences and clauses end, and which words give an aspect away."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.text.repair import repair
from pipeline.text.sentences import LONGEST, sentence_spans
from pipeline.themes.taxonomy import GENERAL, load_aspects
from pipeline.themes.terms import find_mentions

ASPECTS = load_aspects()
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "da", "nl", "zh", "ja")

VALID = """
[[aspect]]
id = "queue"
label = "Queue"
acknowledge = ["The queue was long: {quote}."]
steps = ["Open a second till.", "Show the wait.", "Greet those who wait."]
terms.en = ["queue*", "stood in line"]

[[aspect]]
id = "general"
label = "Overall"
acknowledge = ["They write: {quote}."]
steps = ["Read it.", "Discuss it.", "Reply to it."]
"""


def about(text: str, language: str | None = "en") -> set[str]:
    return {mention.aspect_id for mention in find_mentions(text, language, ASPECTS)}


def clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


# --- The playbook file ---


def test_the_shipped_playbook_is_complete() -> None:
    assert len(ASPECTS) >= 33
    assert ASPECTS[-1].id == GENERAL
    for aspect in ASPECTS:
        assert 2 <= len(aspect.acknowledge) <= 3 and 4 <= len(aspect.steps) <= 6, aspect.id
        for line in (*aspect.acknowledge, *aspect.steps):
            assert line[0].isupper() and line.endswith(".") and len(line.split()) <= 25, line
        if aspect.id != GENERAL:
            terms = dict(aspect.terms)
            assert tuple(terms) == LANGUAGES, aspect.id
            assert len(terms["en"]) >= 12, aspect.id


def test_no_step_promises_money_or_admits_fault() -> None:
    for aspect in ASPECTS:
        for step in aspect.steps:
            assert not any(
                word in step.lower() for word in ("our fault", "liable", "liability", "full refund", "we will pay")
            )


def test_a_playbook_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(VALID)
    aspects = load_aspects(file)
    assert [aspect.id for aspect in aspects] == ["queue", "general"]
    assert dict(aspects[0].terms) == {"en": ("queue*", "stood in line")}
    assert [mention.aspect_id for mention in find_mentions("Endless queues.", "en", aspects)] == ["queue"]
    file.write_text(VALID.replace("queue*", "till*"))
    assert (
        find_mentions("Endless queues.", "en", load_aspects(file)) == []
    )  # an edit counts at once, also in a process that lives long


def test_all_mistakes_of_a_playbook_come_in_one_message(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        VALID.replace('label = "Queue"', 'label = "Queue"\ncolour = "red"')
        .replace("terms.en", "terms.english")
        .replace('acknowledge = ["They write: {quote}."]', 'acknowledge = ["They write {quotation}."]')
        + """
[[aspect]]
id = "queue"
label = "Two\\nlines"
acknowledge = ["{quote}"]
steps = ["Only one."]
terms = {en = [], de = ["*"], fr = ["a*b"]}
"""
    )
    with pytest.raises(InputError) as caught:
        load_aspects(file)
    message = str(caught.value)
    for part in (
        "unknown key 'colour'", "'english' is not a two-letter code", "unknown slot {quotation}", "must hold {quote}",
        "queue: written twice", "'label' must be one line", "'steps' must list at least 3", "'terms.en' is empty",
        "'terms.de' has '*'", "'terms.fr' has 'a*b'",
    ):  # fmt: skip
        assert part in message, part
    assert "\n" not in message and "bad.toml" in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (VALID.replace("general", "other"), "no aspect 'general'"),
        (VALID.replace("[[aspect]]", "[[aspects]]"), "unknown key 'aspects'"),
        ("aspect = 3", "not a list of tables"),
        ("[[aspect]", "cannot be read"),
        (VALID.replace('"stood in line"', '"Queue"'), "term 'queue' (en) is listed by queue and queue"),
        (VALID.replace("terms.en", "#"), "'terms' must list"),
    ],
)
def test_a_broken_playbook_is_one_clear_line(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_aspects(file)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_playbook_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml cannot be read"):
        load_aspects(tmp_path / "none.toml")


# --- Sentences and clauses ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The soup was salty. We left.", ["The soup was salty.", "We left."]),
        ("the soup was salty.we left!!never again", ["the soup was salty.", "we left!!", "never again"]),
        ("Slow...so slow… and cold", ["Slow...", "so slow…", "and cold"]),
        ("It scored 4.5 of 5. Fine.", ["It scored 4.5 of 5.", "Fine."]),
        ("Dr. Poulsen met us at 7 p.m. in St. Anna.", ["Dr. Poulsen met us at 7 p.m. in St. Anna."]),
        ("We ate at 7 p.m. The bill came late.", ["We ate at 7 p.m.", "The bill came late."]),
        ("e.g. the towels, z.B. die Handtücher", ["e.g. the towels, z.B. die Handtücher"]),
        ("Im 3. Stock war es laut. Am 5. Mai nicht.", ["Im 3. Stock war es laut.", "Am 5. Mai nicht."]),
        ("I gave it a 2. Cold room.", ["I gave it a 2.", "Cold room."]),
        ("i gave it a 2. cold room", ["i gave it a 2.", "cold room"]),
        ("1. Cold room\n2. Loud bar", ["1. Cold room", "2. Loud bar"]),
        ("Look at www.inn.example/a.b?c=1 or inn.com! Bye", ["Look at www.inn.example/a.b?c=1 or inn.com!", "Bye"]),
        ('He said "never again." She nodded.', ['He said "never again."', "She nodded."]),
        ("Lovely 😍 The bed was soft. 👍👍 Back soon", ["Lovely 😍", "The bed was soft. 👍👍", "Back soon"]),
        ("First line\n\nsecond line", ["First line", "second line"]),
        ("汤太咸了！等了半小时。再见", ["汤太咸了！", "等了半小时。", "再见"]),
        ("味道很好，但是送餐太慢了", ["味道很好", "但是送餐太慢了"]),
        ("等了两个小时，菜都凉了，还少送一份米饭", ["等了两个小时", "菜都凉了", "还少送一份米饭"]),
        ("味は良かったですが、店員が失礼でした。残念", ["味は良かったですが", "店員が失礼でした。", "残念"]),
        ("Tasty soup but rude waiter", ["Tasty soup", "but rude waiter"]),
        ("The room was fine, the view too; the bed was not", ["The room was fine, the view too;", "the bed was not"]),
        ("Das Bett war gut, aber das Bad war dreckig", ["Das Bett war gut", "aber das Bad war dreckig"]),
        ("La chambre est belle mais très bruyante", ["La chambre est belle", "mais très bruyante"]),
        ("La cena era rica pero cara y fría", ["La cena era rica", "pero cara y fría"]),
        ("Maden var god, men servicen var langsom", ["Maden var god", "men servicen var langsom"]),
        ("There was nothing but trouble that day", ["There was nothing but trouble that day"]),
        ("All the men waited outside for their turn", ["All the men waited outside for their turn"]),
        ("", []),
        (" \n\t ", []),
        ("👎👎", ["👎👎"]),
    ],
)  # fmt: skip
def test_clauses(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


def test_sentences_alone_keep_their_clauses_together() -> None:
    text = "Tasty soup; but the waiter, however kind, was slow. " + "word " * 80
    assert [text[a:b] for a, b in sentence_spans(text, clauses=False)] == [
        "Tasty soup; but the waiter, however kind, was slow.",
        ("word " * 80).strip(),
    ]


def test_an_overlong_sentence_is_cut_at_a_comma_else_between_words() -> None:
    listing = "we had " + ", ".join(["a plate of something with something else"] * 12)
    assert all(piece.endswith("else") for piece in clauses(listing))
    assert all(set(piece.split()) == {"word"} for piece in clauses("word " * 100))
    assert [len(piece) for piece in clauses("x" * 500)] == [240, 240, 20]


pieces = st.sampled_from(
    ["the soup was cold", "Mr.", "4.5", "...", "!", "。", "，", " but ", ", aber ", "但是", "；", "; ", "\n", " ", "😀",
     "e.g.", "www.a.example/x", '"', ")", "İ", "word " * 60, "字" * 90, "1. ", "a.b", ".", "\u2028", "\x1c"]
)  # fmt: skip


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.text(max_size=400), st.lists(pieces, max_size=30).map("".join)), st.booleans())
def test_spans_are_ordered_apart_trimmed_and_short(text: str, split: bool) -> None:
    spans = sentence_spans(text, clauses=split)
    ends = [0]
    for start, end in spans:
        assert ends[-1] <= start < end <= len(text)
        assert text[start:end].strip() == text[start:end] != ""
        assert not split or end - start <= LONGEST
        ends.append(end)
    outside = "".join(text[a:b] for a, b in zip(ends, [start for start, _ in spans] + [len(text)], strict=True))
    assert not any(map(str.isalnum, outside))  # no word is lost between the spans


# --- Terms ---


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
        ("Das Personal war unfreundlich", "de", "staff_attitude"),
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
)  # fmt: skip
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
        ("room_condition", "Loved the view.", "the view"),
        ("food_quality", "The soup was tasty", "soup*"),
        ("service", "but the waiter was rude to us.", "waiter*"),
        ("staff_attitude", "but the waiter was rude to us.", "rude"),
        ("food_quality", "The soup, again, was hot.", "soup*"),
    ]


def test_positions_hold_where_lower_case_is_longer_than_upper_case() -> None:
    text = "İİİİ İstanbul. The waiter was rude."
    assert {text[m.start : m.end] for m in find_mentions(text, "en", ASPECTS)} == {"The waiter was rude."}


@settings(derandomize=True, deadline=None)
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
    ("text", "language", "said"),
    [
        ("The WAITERS were kind.", "en", "WAITERS"),
        ("We stood in  Line all day.", "en", None),
        ("Delivery took 3 weeks", "en", "Delivery"),
        ("外卖2小时", "zh", "2小时"),
    ],
)
def test_a_mention_holds_the_term_as_it_was_written(text: str, language: str, said: str | None) -> None:
    mentions = find_mentions(text, language, ASPECTS)
    assert all(mention.said in text[mention.start : mention.end] for mention in mentions)
    assert said is None or said in {mention.said for mention in mentions}, mentions
