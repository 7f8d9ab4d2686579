"""One pass over a review: every sentence once, verbatim, whatever the text; and the shipped reader on clear sentences."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.rows import Reading
from pipeline.reader import reading, shift
from pipeline.reader.reading import FAINT, Reader, pieces_of
from pipeline.text.sentences import sentence_spans
from tests.checkpoints import Checkpoints

REVIEW = "The waiter was rude, and we waited for cold soup. A good room, though! 好味道，不好。"
LONG = " ".join(f"We waited {n} hours, and the soup number {n} was cold." for n in range(60))
ODD = (
    REVIEW,
    LONG,
    "",
    " \n\t",
    "x",
    "😀",
    "Good 😀 soup 👍🏽. Bad 👎 room!",
    "!!!",
    ",,,",
    "a" * 5_000 + ", and b",
    "the soup, " * 500 + "cold",
    "Zwei Stunden für kalte Suppe… nein danke.",
    "x\x00y\u200b\ufeff. z",
    "ｗａｉｔｅｒ　ｗａｓ　ｒｕｄｅ。 ﬁne",
)


@pytest.fixture(scope="module")
def reader(tiny: Checkpoints) -> Reader:
    return reading.load(tiny.reader)


def check(text: str, found: Reading, themes: tuple[str, ...]) -> None:
    """What holds for every reading of every text."""
    assert sum(found["stars"]) == pytest.approx(1, abs=1e-3) and len(found["stars"]) == 5
    assert sum(found["sentiment"]) == pytest.approx(1, abs=1e-3) and len(found["sentiment"]) == len(SENTIMENTS)
    assert len(found["emotions"]) == len(EMOTIONS) and all(0 <= value <= 1 for value in found["emotions"])
    expected = sentence_spans(text, clauses=False) or ([(0, len(text))] if text.strip() else [])
    assert [(s["start"], s["end"]) for s in found["sentences"]] == expected, "every sentence once, in order"
    for sentence in found["sentences"]:
        assert sentence["negative"] + sentence["neutral"] + sentence["positive"] == pytest.approx(1, abs=1e-3)
        assert np.linalg.norm(vector(sentence["vector"])) == pytest.approx(1, abs=0.01)
        chances = [theme["probability"] for theme in sentence["themes"]]
        assert chances == sorted(chances, reverse=True) and all(FAINT - 1e-3 <= value <= 1 for value in chances)
        for theme in sentence["themes"]:
            assert theme["theme"] in themes
            assert sentence["start"] <= theme["start"] < theme["end"] <= sentence["end"]
            assert theme["negative"] + theme["neutral"] + theme["positive"] == pytest.approx(1, abs=1e-3)
            piece = text[theme["start"] : theme["end"]]
            assert piece and piece == piece.strip()


def vector(stored: bytes) -> np.ndarray:
    return np.frombuffer(stored, reading.VECTOR).astype(np.float32)


@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:12]))
def test_every_text_is_read(reader: Reader, text: str) -> None:
    (found,) = reader.read([text])
    check(text, found, reader.questions.themes)


@pytest.mark.parametrize("text", ["", " ", "\n \t"])
def test_blank_texts_say_nothing(reader: Reader, text: str) -> None:
    (found,) = reader.read([text])
    assert found["sentences"] == [] and found["stars"] == [0.2] * 5 and found["emotions"] == [0.0] * len(EMOTIONS)
    assert found["sentiment"] == pytest.approx([1 / 3] * 3) and len(found["vector"]) == 64
    assert reader.read([]) == []


def test_what_is_read_in_a_text_does_not_depend_on_its_company(reader: Reader) -> None:
    together = reader.read(ODD)
    assert len(together) == len(ODD)
    assert [reader.read([text])[0] for text in ODD] == together, "to the last bit of the vectors"
    assert reader.read(ODD[::-1])[::-1] == together


def test_a_long_review_is_read_in_windows_that_overlap_by_a_sentence(reader: Reader) -> None:
    windows = list(reader._windows(0, LONG))
    spans = sentence_spans(LONG, clauses=False)
    assert len(windows) > 2 and all(len(window.ids) <= 512 for window in windows)
    assert [s for window in windows for s in window.sentences[window.first :]] == spans, "each counts once"
    assert [window.first for window in windows] == [0] + [1] * (len(windows) - 1)
    for before, after in itertools.pairwise(windows):
        assert after.sentences[0] == before.sentences[-1], "with the sentence before it as context"
        start, end = after.sentences[0][0], after.sentences[-1][1]
        assert after.offsets[0][0] <= start < end <= after.offsets[-1][1]


def test_a_sentence_longer_than_a_window_is_read_as_far_as_it_goes(reader: Reader) -> None:
    text = "Cold soup. " + "b" * 5_000 + ". A rude waiter."
    windows = list(reader._windows(0, text))
    assert [window.sentences for window in windows] == [[span] for span in sentence_spans(text, clauses=False)]
    assert [len(window.ids) for window in windows][1] == 512


def test_what_was_not_read_proves_nothing(reader: Reader) -> None:
    text = "the soup was cold, " * 300
    (sentence,) = reader.read([text])[0]["sentences"]
    (window,) = reader._windows(0, text)
    assert window.offsets[-1][1] < len(text) / 2 and sentence["themes"]
    for theme in sentence["themes"]:
        is_whole = (theme["start"], theme["end"]) == (sentence["start"], sentence["end"])
        assert is_whole or theme["end"] <= window.offsets[-1][1]


def test_a_long_review_is_the_mean_of_its_tokens(reader: Reader) -> None:
    long, short = ("the soup was cold, " * times + "and the waiter was rude." for times in (85, 20))
    text = f"{long} {short}"
    windows = list(reader._windows(0, text))
    assert [len(window.sentences) for window in windows] == [1, 1], "no room for context"
    (whole,), (one, other) = reader.read([text]), reader.read([long, short])
    share = len(windows[0].ids) / sum(len(window.ids) for window in windows)
    for name in ("stars", "sentiment"):
        expected = share * np.array(one[name]) + (1 - share) * np.array(other[name])
        assert np.array(whole[name]) == pytest.approx(expected, abs=1e-3)
    assert whole["emotions"] == pytest.approx(np.maximum(one["emotions"], other["emotions"]).tolist(), abs=1e-3)
    with torch.inference_mode():
        read = [reader.encoder.hidden([window.ids]) for window in windows]
    total = sum(hidden[mask].sum(0) for hidden, mask in read).numpy()
    assert vector(whole["vector"]) == pytest.approx(total / np.linalg.norm(total), abs=1e-3)


def test_sentiment_towards_words(reader: Reader) -> None:
    rows = [
        ("The waiter was rude but the soup good.", [(4, 10), (28, 32)]),
        ("Nothing to see.", []),
        ("b" * 2_000 + " room", [(2_001, 2_005), (0, 1)]),
    ]
    found = reader.towards(rows)
    assert [values.shape for values in found] == [(2, 3), (0, 3), (2, 3)]
    assert all(values.sum(1) == pytest.approx(np.ones(len(values)), abs=1e-5) for values in found)
    assert not np.allclose(found[0][0], found[0][1]), "each word by itself"
    assert reader.towards(rows[:1])[0] == pytest.approx(found[0], abs=1e-4)


def test_comments_are_read_for_their_emotions(reader: Reader) -> None:
    texts = ["Cold soup.", "", "the waiter was rude " * 400]
    values = reader.comments(texts)
    assert values.shape == (3, len(EMOTIONS)) and ((values >= 0) & (values <= 1)).all()
    assert reader.comments(texts[:1])[0] == pytest.approx(values[0], abs=1e-4)


# --- pieces ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The soup was cold, the waiter was rude.", ["The soup was cold", "the waiter was rude."]),
        (
            "The soup was cold but the waiter was kind.",
            ["The soup was cold", "but the waiter was kind."],
        ),
        ("Well, the soup was cold.", ["the soup was cold."]),
        ("The soup was cold.", []),
        ("房间很脏，服务员态度很差。", ["房间很脏", "服务员态度很差。"]),
        ("Rooms - dirty and loud - staff: rude and slow", ["dirty and loud", "rude and slow"]),
    ],
)
def test_pieces(text: str, expected: list[str]) -> None:
    assert {text[start:end] for start, end in pieces_of(text, 0, len(text))} == set(expected)


def test_pieces_are_found_within_their_sentence_the_shortest_first() -> None:
    text = "Nice. The soup was cold again, the waiter was rude. Never again, dear owners."
    start, end = text.index("The"), text.index(" Never")
    found = pieces_of(text, start, end)
    assert [text[a:b] for a, b in found] == ["the waiter was rude.", "The soup was cold again"]


@given(st.text(st.sampled_from("ab .,!?\n😀好。，\u200b\x07"), max_size=40))
def test_pieces_lie_within_their_sentence(text: str) -> None:
    for start, end in sentence_spans(text, clauses=False):
        for low, high in pieces_of(text, start, end):
            assert start <= low < high <= end and high - low < end - start


# --- files ---


def test_what_is_saved_is_what_is_loaded(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / shift.FILE).write_text("{}")
    reading.save(reader.encoder, reader.heads, {"seed": 1}, tmp_path, frozenset())
    assert not (tmp_path / shift.FILE).exists(), "it was measured of other weights"
    again = reading.load(tmp_path)
    assert again.settings["seed"] == 1 and again.questions == reader.questions
    (one,), (other,) = reader.read([REVIEW]), again.read([REVIEW])
    assert one["stars"] == pytest.approx(other["stars"], abs=0.05)
    assert reading.load(tmp_path) is again, "loaded once"


@pytest.mark.parametrize("name", ["heads.safetensors", "reader.json", "encoder.safetensors"])
def test_a_damaged_reader_is_one_clear_error(tiny: Checkpoints, tmp_path: Path, name: str) -> None:
    shutil.copytree(tiny.reader, tmp_path / "reader")
    file = tmp_path / "reader" / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match="cannot be loaded"):
        reading.load(tmp_path / "reader")


# --- the shipped reader ---

CLEAR = [
    ("The waiter was very rude to us.", "negative", {"staff_attitude", "service"}),
    ("We had to wait two hours for our food.", "negative", {"waiting_time"}),
    ("The staff was super friendly and helpful!", "positive", {"staff_attitude", "service"}),
    ("Das Zimmer war schmutzig.", "negative", {"cleanliness", "room_condition"}),
    ("Sehr freundliches Personal!", "positive", {"staff_attitude", "service"}),
    ("La habitación estaba muy sucia.", "negative", {"cleanliness", "room_condition"}),
    ("La comida estaba deliciosa.", "positive", {"food_quality"}),
    ("房间很脏。", "negative", {"cleanliness", "room_condition"}),
    ("服务员态度很好！", "positive", {"staff_attitude", "service"}),
]


@pytest.fixture(scope="module")
def shipped() -> list[Reading]:
    return reading.load().read([text for text, *_ in CLEAR])


@pytest.mark.parametrize("index", range(len(CLEAR)), ids=[text for text, *_ in CLEAR])
def test_clear_sentences_are_read_rightly(shipped: list[Reading], index: int) -> None:
    text, polarity, themes = CLEAR[index]
    found = shipped[index]
    check(text, found, reading.load().questions.themes)
    assert SENTIMENTS[int(np.argmax(found["sentiment"]))] == polarity
    assert (found["stars"][0] > found["stars"][4]) == (polarity == "negative")
    (sentence,) = found["sentences"]
    best = sentence["themes"][0]
    assert best["theme"] in themes and best["probability"] > 0.3
    assert (best["positive"] > best["negative"]) == (polarity == "positive")


def test_the_shipped_reader_reads_each_text_by_itself(shipped: list[Reading]) -> None:
    alone = [reading.load().read([text])[0] for text, *_ in CLEAR[::5]]
    assert alone == shipped[::5]


def test_each_sentence_of_a_review_has_its_own_themes() -> None:
    text = "The staff was super friendly and helpful! But the room was very dirty, with hair in the bathroom."
    (found,) = reading.load().read([text])
    kind, dirty = found["sentences"]
    assert kind["positive"] > 0.5 and dirty["negative"] > 0.5
    assert kind["themes"][0]["theme"] in {"staff_attitude", "service"}
    assert {theme["theme"] for theme in dirty["themes"][:3]} & {"cleanliness", "bathroom", "room_condition"}


def test_the_shortest_piece_proves_it() -> None:
    text = "We came on a Tuesday with my parents and two friends, the waiter was very rude to us."
    (sentence,) = reading.load().read([text])[0]["sentences"]
    best = sentence["themes"][0]
    assert text[best["start"] : best["end"]] == "the waiter was very rude to us."


def test_in_bfloat16_it_says_nearly_the_same() -> None:
    plain, short = (reading.load(precision=precision).read([REVIEW])[0] for precision in ("float32", "bfloat16"))
    np.testing.assert_allclose(plain["sentiment"], short["sentiment"], atol=0.1)
    assert [one["start"] for one in plain["sentences"]] == [one["start"] for one in short["sentences"]]
