"""Where sentences and clauses end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.sentences import LONGEST, sentence_spans
from tests.text.pieces import pieces


def clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


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
)
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
