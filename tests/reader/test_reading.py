"""One pass over a review: spans, windows, pieces; and that the shipped reader reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS
from pipeline.core.rows import Reading
from pipeline.reader import decide, reading
from pipeline.text.sentences import sentence_spans
from tests import checkpoints

READER = checkpoints.reader()
LONG = " ".join(f"Then we waited {n} minutes for soup number {n}." for n in range(60))


def well_formed(text: str, found: Reading) -> None:
    assert [(s["start"], s["end"]) for s in found["sentences"]] == sentence_spans(text, clauses=False)
    assert sum(found["sentiment"]) == pytest.approx(1, abs=1e-3) and len(found["emotions"]) == len(EMOTIONS)
    assert sum(found["stars"]) == pytest.approx(1, abs=1e-3)
    for sentence in found["sentences"]:
        assert sentence["negative"] + sentence["neutral"] + sentence["positive"] == pytest.approx(1, abs=1e-3)
        vector = np.frombuffer(sentence["vector"], reading.VECTOR).astype(float)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=0.01)
        for theme in sentence["themes"]:
            assert sentence["start"] <= theme["start"] < theme["end"] <= sentence["end"]
            assert theme["probability"] >= reading.FAINT
        assert sentence["themes"] == sorted(sentence["themes"], key=lambda theme: -theme["probability"])


@settings(max_examples=30)
@given(st.text(alphabet="ab c.,!? äß房\n😀", max_size=80))
def test_any_text_is_read_sentence_by_sentence(text: str) -> None:
    (found,) = READER.read([text])
    if text.strip():
        well_formed(text, found)
    else:
        assert not found["sentences"]


def test_a_review_longer_than_the_window_is_read_whole() -> None:
    well_formed(LONG, READER.read([LONG])[0])
    endless = "soup " * 1500  # one sentence of 7,500 characters
    well_formed(endless.strip(), READER.read([endless.strip()])[0])


def test_what_is_read_beside_a_text_does_not_matter() -> None:
    texts = ["Cold soup. Rude waiter, but a nice room.", LONG, "房间很脏。", "ok"]
    for alone, together in zip((READER.read([text])[0] for text in texts), READER.read(texts), strict=True):
        assert together["sentiment"] == pytest.approx(alone["sentiment"], abs=1e-3)
        assert len(together["sentences"]) == len(alone["sentences"])


def test_pieces_of_a_sentence() -> None:
    text = "So. The food was cold and the waiter was rude, but we liked the view | really."
    pieces = {text[start:end] for start, end in reading.pieces_of(text, 4, len(text))}
    assert {"the waiter was rude", "The food was cold"} <= pieces
    assert not any(piece.endswith((",", " ")) for piece in pieces), pieces
    assert reading.pieces_of("Cold soup.", 0, 10) == []
    assert {"服务员态度很差"} <= {
        "房间很脏，服务员态度很差"[a:b] for a, b in reading.pieces_of("房间很脏，服务员态度很差", 0, 12)
    }


def test_words_of_a_sentence_are_judged() -> None:
    values = READER.towards([("the soup was cold", [(4, 8), (0, 3)]), ("", []), ("fine", [(0, 4)])])
    assert [value.shape for value in values] == [(2, 3), (0, 3), (1, 3)]
    assert values[0].sum(1) == pytest.approx([1, 1], abs=1e-4)


def test_a_reader_that_is_not_there_is_one_clear_error(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(InputError, match="cannot be loaded"):
        reading.load(tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "theme", "polarity", "piece"),
    [
        (
            "The waiter was rude and unfriendly. The view from our table was lovely.",
            "staff_attitude",
            "negative",
            "rude",
        ),
        ("Das Zimmer war schmutzig und im Bad lagen Haare.", "cleanliness", "negative", "schmutzig"),
        ("Tuvimos que esperar dos horas en la cola.", "waiting_time", "negative", "esperar"),
        ("外卖送得很慢，等了两个小时。", "delivery", "negative", "慢"),
        ("The staff were so friendly and helpful!", "staff_attitude", "positive", "friendly"),
    ],
)
def test_the_shipped_reader_reads(text: str, theme: str, polarity: str, piece: str) -> None:
    (found,) = reading.load().read([text])
    of = decide.load()
    mentions = decide.mentions(found["sentences"], stars=None, language="en", shares={}, of=of)
    (mention,) = (m for m in mentions if m.theme == theme)
    assert mention.sentiment == polarity and piece in text[mention.start : mention.end]
    words = decide.words(np.array([found["sentiment"]]), of)[0]
    assert decide.label(words) == polarity
