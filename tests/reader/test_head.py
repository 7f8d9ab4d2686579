from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import load as load_profile
from pipeline.reader import head
from pipeline.stages import sentiment


def rows(count: int = 240, width: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(words, vectors, truth): the vector's first direction tells two classes apart that the words confuse."""
    rng = np.random.default_rng(0)
    truth = np.arange(count) % 3
    vectors = rng.normal(size=(count, width)) * 0.2
    vectors[:, 0] += truth - 1.0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = np.full((count, 3), 0.2)
    words[np.arange(count), np.where(truth == 2, 2, 0)] = 0.6
    return words, vectors, truth


def test_a_head_learns_what_the_words_do_not_say() -> None:
    words, vectors, truth = rows()
    fitted = head.fit(words, vectors, truth, ["en"] * len(truth))
    assert (words.argmax(1) == truth).mean() < 0.7
    applied = head.apply(fitted, words, vectors, ["en"] * len(truth))
    assert (applied.argmax(1) == truth).mean() > 0.9
    np.testing.assert_allclose(applied.sum(1), 1, atol=1e-5)


def test_without_evidence_it_is_the_reader_as_it_is() -> None:
    words, vectors, _ = rows()
    fitted = head.fit(words[:0], vectors[:0], np.zeros(0, dtype=int), [])
    np.testing.assert_allclose(head.apply(fitted, words, vectors, [None] * len(words)), words, atol=1e-6)


def test_it_leaves_languages_alone_that_it_was_not_fitted_on() -> None:
    words, vectors, truth = rows()
    languages = ["en" if n % 10 else "de" for n in range(len(truth))]
    fitted = head.fit(words, vectors, truth, languages)
    assert fitted["languages"] == ["en"], "24 rows of German are too few"
    applied = head.apply(fitted, words, vectors, languages)
    german = np.array(languages) == "de"
    np.testing.assert_array_equal(applied[german], words[german].astype(np.float32))
    assert not np.allclose(applied[~german], words[~german])


def test_heavier_rows_count_for_more() -> None:
    words, vectors = np.full((200, 3), 1 / 3), np.zeros((200, 4))
    truth = np.array([0, 2] * 100)
    weights = np.where(truth == 2, 3.0, 1.0)
    fitted = head.fit(words, vectors, truth, ["en"] * 200, weights)
    assert head.apply(fitted, words, vectors, ["en"] * 200)[0, 2] == pytest.approx(0.75, abs=0.02)


def test_a_file_of_it_is_read_back_and_known_by_its_hash(tmp_path: Path) -> None:
    words, vectors, truth = rows()
    fitted = head.fit(words, vectors, truth, ["en"] * len(truth))
    file = tmp_path / "head.json"
    file.write_text(head.content(fitted))
    assert head.load(str(file)) == fitted and head.identity(str(file)) == head.digest(head.content(fitted))


@pytest.mark.parametrize(
    "damage",
    [
        {"classes": ["good", "bad"]},
        {"bias": [1, 2]},
        {"vector": [[float("nan")] * 3]},
        {"words": "x"},
        {"languages": 3},
    ],
)
def test_what_is_no_head_is_one_line(tmp_path: Path, damage: dict[str, object]) -> None:
    words, vectors, truth = rows()
    file = tmp_path / "head.json"
    file.write_text(json.dumps(head.fit(words, vectors, truth, ["en"] * len(truth)) | damage))
    with pytest.raises(InputError, match="is not a sentiment head"):
        head.load(str(file))
    with pytest.raises(InputError, match="no sentiment head at"):
        head.load(str(tmp_path / "none.json"))


def test_a_head_stands_on_the_reader(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('extends = "embedded"\n[sentiment]\nbackend = "fake"\nhead = "head.json"\n')
    with pytest.raises(InputError, match="stands on the embedded reader"):
        sentiment.spec(load_profile(str(file)))
    assert len(SENTIMENTS) == 3
