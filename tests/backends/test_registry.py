"""A new backend is its module and a line in `pipeline.core.registry`: a profile that names it needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.backends import registry
from pipeline.backends.base import ClassifierBackend, ReaderBackend, Request, Written
from pipeline.backends.dispatch import classify_sentiment
from pipeline.core import profile
from pipeline.core.assets import READER
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.profile import Emotions, Feedback, Profile, Reader, Sentiment
from pipeline.core.registry import CLASSIFIERS, READERS, WRITERS, implementation
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.reader.decide import CONFIG
from pipeline.stages.emotions import EMOTIONS as EMOTIONS_STAGE
from pipeline.stages.feedback import FEEDBACK
from pipeline.stages.sentiment import SENTIMENT
from tests.factory import review


class Cheerful(ClassifierBackend):
    """The last label for every text."""

    model = "cheerful"
    loaded = 0

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        type(self).loaded += 1

    @classmethod
    def from_section(cls, section: Sentiment | Emotions) -> Cheerful:
        return cls(SENTIMENTS if isinstance(section, Sentiment) else EMOTIONS)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        return np.eye(len(self.labels), dtype=np.float32)[[-1] * len(texts)]


class Terse:
    """One suggestion of so many words as its section allows tokens."""

    def __init__(self, model: str, words: int) -> None:
        self.model, self.words = model, words

    @classmethod
    def from_section(cls, section: Feedback, profile: Profile) -> Terse:
        return cls(section.model, section.max_new_tokens)

    def write(self, requests: Sequence[Request]) -> list[Written]:
        return [Written(f"1. {'Sorry ' * self.words}", "raw") for _ in requests]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setitem(CLASSIFIERS, "cheerful", f"{__name__}:Cheerful")  # type: ignore[arg-type]
    monkeypatch.setitem(WRITERS, "terse", f"{__name__}:Terse")  # type: ignore[arg-type]
    monkeypatch.setattr(Cheerful, "loaded", 0)
    registry.sentiment.cache_clear()
    registry.emotions.cache_clear()
    file = tmp_path / "mine.toml"
    file.write_text(
        'extends = "embedded"\n[sentiment]\nbackend = "cheerful"\nmodel = "c"\n[emotions]\nbackend = "cheerful"\n'
        '[feedback]\nbackend = "terse"\nmodel = "t"\nmax_new_tokens = 2\n'
    )
    return profile.load(str(file))


def test_a_new_backend_works_once_a_profile_names_it(mine: Profile, warehouse: Warehouse, tmp_path: Path) -> None:
    context = Context(mine, warehouse, "r", "f", tmp_path)
    row = {**review("Cold soup."), "business": None, "words": None, "felt": None, "emotions": [], "themes": []}
    (sentiment,) = SENTIMENT.transform([row], context)
    (emotions,) = EMOTIONS_STAGE.transform([row], context)
    (feedback,) = FEEDBACK.transform([row], context)
    assert (sentiment["label"], sentiment["model"], sentiment["trained_on"]) == ("positive", "cheerful", None)
    assert (emotions["labels"], emotions["model"]) == (["neutral"], "cheerful")
    assert (feedback["suggestions"], feedback["model"]) == (["Sorry Sorry"], "t")
    assert SENTIMENT.spec(mine)["model"] == "c@main" and FEEDBACK.spec(mine)["backend"] == "terse"


def test_a_backend_is_loaded_once_and_only_when_it_is_needed(mine: Profile) -> None:
    german = replace(mine.sentiment, languages=("de",))
    unread = classify_sentiment([review("Cold soup.")], german)
    assert np.isnan(unread).all() and unread.shape == (1, 3) and Cheerful.loaded == 0
    read = classify_sentiment([review("Cold soup."), review("Kalte Suppe.", language="de")], german)
    assert np.isnan(read[0]).all() and read[1].tolist() == [0, 0, 1] and Cheerful.loaded == 1
    assert registry.sentiment(german) is registry.sentiment(german)
    assert registry.emotions(mine.emotions) is registry.emotions(mine.emotions)
    assert registry.teacher(mine) is registry.teacher(mine)
    assert Cheerful.loaded == 2, "sentiment and emotions"


def test_another_labelling_is_another_model(mine: Profile) -> None:
    """`labels` is no part of the hash of a section, but of its equality."""
    other = Sentiment(backend="cheerful", model="c", labels={"x": "negative"})
    assert registry.sentiment(other) is not registry.sentiment(Sentiment(backend="cheerful", model="c"))


def test_an_unknown_backend_names_those_there_are(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[sentiment]\nbackend = "x"\n[feedback]\nbackend = "y"\n')
    with pytest.raises(InputError, match=r"sentiment.backend: .*'embedded'.*; feedback.backend: .*'playbook'"):
        profile.load(str(file))


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_in_the_table_is_there(name: str) -> None:
    assert callable(implementation(WRITERS, name).from_section)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_in_the_table_is_there(name: str) -> None:
    assert issubclass(implementation(CLASSIFIERS, name), ClassifierBackend)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_in_the_table_is_there(name: str) -> None:
    assert issubclass(implementation(READERS, name), ReaderBackend)


def test_a_reader_of_ones_own_is_loaded_when_the_first_text_comes(tmp_path: Path) -> None:
    section = Reader(model=str(tmp_path))
    reader = registry.reader(section)
    assert reader is registry.reader(section) and reader.model == tmp_path.name
    with pytest.raises(InputError, match="cannot be loaded"):
        registry.reader_identity(section)
    with pytest.raises(InputError, match="cannot be loaded"):
        reader.read(["Cold soup."])
    with pytest.raises(InputError, match="rules"):
        reader.rules()


def copied(folder: Path, **changes: Any) -> Reader:
    """The shipped reader in a folder of its own, with other settings."""
    folder.mkdir(parents=True)
    for file in READER.iterdir():
        if file.name != CONFIG:
            (folder / file.name).symlink_to(file)
    settings = json.loads((READER / CONFIG).read_text(encoding="utf-8"))
    (folder / CONFIG).write_text(json.dumps(settings | changes), encoding="utf-8")
    return Reader(model=str(folder))


def test_another_precision_is_another_reader() -> None:
    plain, short = (Reader(precision=precision) for precision in ("float32", "bfloat16"))
    assert registry.reader_identity(plain) == registry.reader_identity(Reader()) != registry.reader_identity(short)
    assert registry.reader(short).precision == "bfloat16"


def test_a_gpu_rounds_otherwise_and_is_named_where_there_is_none() -> None:
    there = Reader(device="cuda")
    assert registry.reader_identity(there) == f"{registry.reader_identity(Reader())}:cuda"
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r'device = "cpu"'):
            registry.reader(there).read(["The soup was cold."])


def test_rules_are_no_part_of_a_reader_s_identity(tmp_path: Path) -> None:
    """A changed threshold decides again, but reads nothing again."""
    rules = json.loads((READER / CONFIG).read_text(encoding="utf-8"))["rules"]
    same = copied(tmp_path / "same" / "reader")
    ruled = copied(tmp_path / "ruled" / "reader", rules=rules | {"praise": 0.123})
    other = copied(tmp_path / "other" / "reader", themes=["something", "else"])
    assert registry.reader_identity(same) == registry.reader_identity(ruled) != registry.reader_identity(other)
    assert registry.rules_identity(same) == registry.rules_identity(other) != registry.rules_identity(ruled)
