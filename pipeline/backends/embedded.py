"""The shipped reader, and what it offers as a classifier of short texts."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.backends.base import ClassifierBackend, ReaderBackend
from pipeline.core.assets import READER
from pipeline.core.errors import InputError
from pipeline.core.integrity import require_intact
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.profile import Emotions, Reader, Sentiment
from pipeline.core.rows import Reading
from pipeline.reader import decide, head
from pipeline.reader.base import Classifier, vector_of
from pipeline.text.language import detect_languages

if TYPE_CHECKING:
    from pipeline.reader import reading

FLOAT32, CPU = "float32", "cpu"


class EmbeddedReader(ReaderBackend):
    """The encoder with its heads in a folder; loaded when the first text comes."""

    def __init__(self, folder: Path = READER, precision: str = FLOAT32, device: str = CPU) -> None:
        self.folder, self.precision, self.device = folder, precision, device
        self.model = "reader" if folder == READER else folder.name

    @classmethod
    def from_section(cls, section: Reader) -> EmbeddedReader:
        """The one in the section's folder, else the shipped one."""
        return cls(section.folder, section.precision, section.device)

    @classmethod
    def identity(cls, section: Reader) -> str:
        """Hash of the folder without its rules, on which no reading depends. Raises InputError if there is no reader in it."""
        roundings = [name for name in (section.precision, section.device) if name not in (FLOAT32, CPU)]
        return ":".join([_identity(section.folder), *roundings])

    @property
    def loaded(self) -> reading.Reader:
        """The network. Raises InputError if it is missing or damaged."""
        from pipeline.reader import reading

        require_intact(self.folder)
        return reading.load(self.folder, self.precision, self.device)

    def load(self) -> None:
        """The network, in this thread alone."""
        _ = self.loaded

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One Reading per text, in order."""
        return self.loaded.read(texts)

    def rules(self) -> decide.Rules:
        """How its readings become decisions."""
        return decide.load(self.folder)


class EmbeddedClassifier(ClassifierBackend):
    """The reader's answer to one question, for texts outside a run."""

    model = "reader"

    def __init__(self, labels: tuple[str, ...], head: str = "") -> None:
        self.labels, self.head = labels, head

    @classmethod
    def from_section(cls, section: Sentiment | Emotions) -> Classifier:
        """Of SENTIMENTS, with the section's head, or of EMOTIONS."""
        return cls(SENTIMENTS, section.head) if isinstance(section, Sentiment) else cls(EMOTIONS)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels): of sentiment as the words alone say it, calibrated."""
        reader = _shipped()
        readings = reader.read(texts)
        if self.labels == SENTIMENTS:
            raw = np.array([one["sentiment"] for one in readings], dtype=np.float32).reshape(-1, len(SENTIMENTS))
            words = decide.words(raw, reader.rules()).astype(np.float32)
            if self.head and texts:
                vectors = np.stack([vector_of(one["vector"]) for one in readings])
                words = head.apply(head.load(self.head), words, vectors, detect_languages(texts))
            return words
        return np.array([one["emotions"] for one in readings], dtype=np.float32).reshape(-1, len(EMOTIONS))

    @classmethod
    def identity(cls, section: Sentiment | Emotions) -> str:
        """Hash of the shipped reader, on which a section's head stands."""
        return _identity(READER)

    @classmethod
    def tuned_thresholds(cls, section: Emotions) -> dict[str, float]:
        """Those of the reader's rules."""
        return dict(_shipped().rules().emotions)


@functools.cache
def _identity(folder: Path) -> str:
    try:
        settings = json.loads((folder / decide.CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The reader in {folder} cannot be loaded ({error}). Reinstall review-insights.") from error
    asked = {key: settings.get(key) for key in ("themes", "emotions", "centre")}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for name in ("encoder.json", "encoder.safetensors", "heads.safetensors", "tokenizer.json"):
        digest.update(name.encode() + (folder / name).read_bytes())
    return f"{folder.name}:{digest.hexdigest()[:16]}"


@functools.cache
def _shipped() -> EmbeddedReader:
    return EmbeddedReader()
