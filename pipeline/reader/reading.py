"""One pass over a review: what it says as a whole, and sentence by sentence in its context.

A reading holds raw probabilities. What is made of them (thresholds, stars, trade) is decided elsewhere, so that a changed
threshold never reads anything again.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.core.assets import READER
from pipeline.core.errors import InputError
from pipeline.core.rows import Reading, Sentence, SentenceTheme, short
from pipeline.reader import encoder as encoders
from pipeline.reader import shift
from pipeline.reader.decide import CONFIG
from pipeline.reader.network import Heads, Questions, span_means
from pipeline.text.sentences import sentence_spans

GENERAL = "general"  # the theme of an overall verdict
HEADS = "heads.safetensors"
FAINT = 0.03  # a theme less probable than this in a sentence is not kept
TOKENS = {"cpu": 2_048, "cuda": 65_536}  # of a batch, padding included: what fits the caches, and what keeps a GPU busy
VECTOR = np.float16  # of a stored vector
# Where a sentence may be divided: at punctuation, and at "and" in the languages that write it between blanks.
_MARKS = r"[,;:，、；：|]\s*|\s[-–—]\s"
_PIECES = (
    re.compile(_MARKS),
    re.compile(rf"{_MARKS}|\s(?:and|und|et|y|e|og|och|ve|и|та)\s(?=\S+\s\S)", re.IGNORECASE),
)
_SHORTEST = 12  # characters of a piece that can prove a complaint; in Chinese and Japanese a third of it
# A piece proves what its sentence says if it says it nearly as clearly.
_PROVES = 0.8
# How much the stars that it would expect count beside the sentiment that it reads: they were learnt from far more reviews.
_EXPECTED = 0.5


@dataclass(frozen=True)
class _Window:
    """Sentences of a review that are read in one pass, as characters and tokens; `first`: the first that counts (what
    stands before it is context).
    """

    review: int
    ids: list[int]
    sentences: list[tuple[int, int]]
    offsets: list[tuple[int, int]]  # of the ids' text tokens
    first: int


class Reader:
    """The encoder with its heads, loaded."""

    def __init__(self, encoder: encoders.Encoder, heads: Heads, settings: dict[str, Any]) -> None:
        device = encoder.network.device
        self.encoder, self.heads, self.settings = encoder, heads.eval().to(device), settings
        self.tokens = TOKENS[device.type]
        self.shift = len(encoder.prefix)
        self.verdict = [index for index, name in enumerate(heads.questions.themes) if name == GENERAL]
        # Mean of many sentences' vectors: what all have in common says nothing about one of them.
        self.centre = torch.tensor(settings.get("centre") or [0.0] * encoder.width, device=device)

    @property
    def questions(self) -> Questions:
        """What it answers."""
        return self.heads.questions

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """A Reading per text, in order. Blank texts have no sentences and even probabilities."""
        windows = [window for index, text in enumerate(texts) for window in self._windows(index, text)]
        found: list[list[tuple[_Window, dict[str, np.ndarray], list[Sentence]]]] = [[] for _ in texts]
        with torch.inference_mode():
            for batch in encoders.by_tokens([len(window.ids) for window in windows], self.tokens):
                chosen = [windows[index] for index in batch]
                for window, answer in zip(chosen, self._batch(chosen, texts), strict=True):
                    found[window.review].append((window, *answer))
        return [self._joined(sorted(parts, key=lambda part: part[0].sentences[0])) for parts in found]

    def towards(self, rows: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> list[np.ndarray]:
        """Per sentence, given with the character spans of some of its words, the probabilities of SENTIMENTS towards each,
        (targets, 3).
        """
        found: list[np.ndarray] = [np.zeros((0, 3), np.float32) for _ in rows]
        encoded = self.encoder.tokenize([text for text, _ in rows])
        cut = [ids[: self.encoder.room] for ids, _ in encoded]
        with torch.inference_mode():
            for batch in encoders.by_tokens([len(ids) for ids in cut], self.tokens):
                hidden, _ = self.encoder.hidden([self.encoder.wrap(cut[index]) for index in batch])
                spans, sentences, owners = [], [], []
                for row, index in enumerate(batch):
                    for first, last in _borders(encoded[index][1], rows[index][1]):
                        first = min(first, len(cut[index]) - 1)
                        spans.append((row, first + self.shift, max(first + 1, min(last, len(cut[index]))) + self.shift))
                        sentences.append((row, self.shift, self.shift + len(cut[index])))
                        owners.append(index)
                if spans:
                    values = self.heads.targets(self.heads.tokens(hidden), spans, sentences).softmax(-1).cpu().numpy()
                    for owner, value in zip(owners, values, strict=True):
                        found[owner] = np.vstack([found[owner], value])
        return found

    def comments(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities of EMOTIONS, float32, shape (texts, 28), as readers of short comments see them (GoEmotions)."""
        values = np.zeros((len(texts), len(self.questions.emotions)), dtype=np.float32)
        wrapped = [self.encoder.wrap(ids[: self.encoder.room]) for ids, _ in self.encoder.tokenize(texts)]
        with torch.inference_mode():
            for batch in encoders.by_tokens([len(ids) for ids in wrapped], self.tokens):
                hidden, mask = self.encoder.hidden([wrapped[index] for index in batch])
                review = self.heads.reviews(self.heads.tokens(hidden), mask)
                values[batch] = review["emotions"].sigmoid().cpu().numpy()
        return values

    # --- windows ---

    def _windows(self, index: int, text: str) -> Iterator[_Window]:
        ((ids, offsets),) = self.encoder.tokenize([text])
        if not ids or not text.strip():
            return
        sentences = sentence_spans(text, clauses=False) or [(0, len(text))]
        borders = _borders(offsets, sentences)
        room, start = self.encoder.room, 0
        while start < len(sentences):
            context = max(0, start - 1)
            if borders[start][1] - borders[context][0] > room:
                context = start
            stop = start + 1
            while stop < len(sentences) and borders[stop][1] - borders[context][0] <= room:
                stop += 1
            low = borders[context][0]
            high = min(borders[stop - 1][1], low + room)
            yield _Window(
                index,
                self.encoder.wrap(ids[low:high]),
                sentences[context:stop],
                offsets[low:high],
                start - context,
            )
            start = stop

    # --- one batch ---

    def _batch(
        self, windows: Sequence[_Window], texts: Sequence[str]
    ) -> Iterator[tuple[dict[str, np.ndarray], list[Sentence]]]:
        hidden, mask = self.encoder.hidden([window.ids for window in windows])
        tokens = self.heads.tokens(hidden)
        review = self.heads.reviews(tokens, mask)
        logits = {name: value.double() for name, value in review.items()}
        whole = {
            "stars": logits["stars"].softmax(-1),
            "sentiment": _sentiment(logits["sentiment"], logits["stars"]),
            "emotions": logits["felt"].sigmoid(),
            "vector": self._unit((hidden * mask.unsqueeze(-1)).sum(1)),
        }
        said = _numpy(whole)
        spans = [
            (row, *self._tokens(window, *sentence))
            for row, window in enumerate(windows)
            for sentence in window.sentences[window.first :]
        ]
        answers = _numpy(self._answers(tokens, review["mean"], spans))
        vectors = self._unit(span_means(hidden, spans)).cpu().numpy().astype(VECTOR)
        pieces = self._pieces(windows, texts, answers, tokens, review["mean"])
        at = 0
        for row, window in enumerate(windows):
            counted = window.sentences[window.first :]
            sentences = [
                self._sentence(span, at + number, answers, vectors[at + number], pieces)
                for number, span in enumerate(counted)
            ]
            at += len(counted)
            yield {name: values[row] for name, values in said.items()}, sentences

    def _unit(self, means: torch.Tensor) -> torch.Tensor:
        """Vectors of unit length, without what all have in common."""
        directions = torch.nn.functional.normalize(means.float(), dim=-1)
        return torch.nn.functional.normalize(directions - self.centre, dim=-1)

    def _tokens(self, window: _Window, start: int, end: int) -> tuple[int, int]:
        """Token span of characters start to end, never empty."""
        ((first, last),) = _borders(window.offsets, [(start, end)])
        first = min(first, len(window.offsets) - 1)
        return first + self.shift, max(last, first + 1) + self.shift

    def _answers(
        self, tokens: torch.Tensor, mean: torch.Tensor, spans: Sequence[tuple[int, int, int]]
    ) -> dict[str, torch.Tensor]:
        # In float64, so that the last bit, which depends on the place in the batch, is far from the digits that are kept.
        answers = {name: value.double() for name, value in self.heads.spans(tokens, mean, spans).items()}
        themes, polarity = answers["themes"].sigmoid(), answers["polarity"].softmax(-1)
        # A sentence is as good or bad as what it speaks of; one that speaks of nothing is what it would be as a verdict.
        weights = themes.clone()
        weights[:, self.verdict] += 0.1
        return {
            "themes": themes,
            "polarity": polarity,
            "wish": answers["wish"].sigmoid(),
            "sentiment": (weights.unsqueeze(-1) * polarity).sum(1) / weights.sum(1, keepdim=True),
        }

    def _pieces(
        self,
        windows: Sequence[_Window],
        texts: Sequence[str],
        answers: dict[str, np.ndarray],
        tokens: torch.Tensor,
        mean: torch.Tensor,
    ) -> dict[int, list[tuple[tuple[int, int], np.ndarray]]]:
        """Per sentence (by its place among the spans) that speaks of something: its pieces, each with the probability of each
        theme and polarity, (themes, 3).
        """
        wanted: list[tuple[int, tuple[int, int]]] = []
        spans: list[tuple[int, int, int]] = []
        at = -1
        for row, window in enumerate(windows):
            for start, end in window.sentences[window.first :]:
                at += 1
                if answers["themes"][at].max() < 2 * FAINT:
                    continue
                for piece in pieces_of(texts[window.review], start, end):
                    if piece[1] <= window.offsets[-1][1]:  # of a sentence longer than a window, the rest was not read
                        wanted.append((at, piece))
                        spans.append((row, *self._tokens(window, *piece)))
        found: dict[int, list[tuple[tuple[int, int], np.ndarray]]] = {}
        if spans:
            said = _numpy(self._answers(tokens, mean, spans))
            strength = said["themes"][..., None] * said["polarity"]
            for (sentence, piece), values in zip(wanted, strength, strict=True):
                found.setdefault(sentence, []).append((piece, values))
        return found

    def _sentence(
        self,
        span: tuple[int, int],
        at: int,
        answers: dict[str, np.ndarray],
        vector: np.ndarray,
        pieces: dict[int, list[tuple[tuple[int, int], np.ndarray]]],
    ) -> Sentence:
        themes = []
        for column in np.flatnonzero(answers["themes"][at] >= FAINT):
            probability, polarity = answers["themes"][at, column], answers["polarity"][at, column]
            start, end = _proof(span, pieces.get(at, ()), int(column), probability * polarity)
            themes.append(
                SentenceTheme(
                    theme=self.questions.themes[column],
                    probability=short(probability),
                    negative=short(polarity[0]),
                    neutral=short(polarity[1]),
                    positive=short(polarity[2]),
                    start=start,
                    end=end,
                )
            )
        negative, neutral, positive = map(short, answers["sentiment"][at])
        return Sentence(
            start=span[0],
            end=span[1],
            negative=negative,
            neutral=neutral,
            positive=positive,
            wish=short(answers["wish"][at]),
            vector=vector.tobytes(),
            themes=sorted(themes, key=lambda theme: -theme["probability"]),
        )

    # --- one review ---

    def _joined(self, parts: Sequence[tuple[_Window, dict[str, np.ndarray], list[Sentence]]]) -> Reading:
        if not parts:
            n = len(self.questions.emotions)
            return Reading(stars=[0.2] * 5, sentiment=[1 / 3] * 3, emotions=[0.0] * n, vector=np.zeros(self.encoder.width, VECTOR).tobytes(), sentences=[])  # fmt: skip
        weights = np.array([len(window.ids) for window, *_ in parts], dtype=np.float32)
        weights /= weights.sum()

        def mean(name: str) -> np.ndarray:
            values: np.ndarray = sum(w * whole[name] for w, (_, whole, _) in zip(weights, parts, strict=True))
            return values

        def highest(name: str) -> list[float]:
            # What is felt in one part of a long review is felt in it.
            return [short(value) for value in np.max([whole[name] for _, whole, _ in parts], axis=0)]

        vector = mean("vector")
        return Reading(
            stars=[short(value) for value in mean("stars")],
            sentiment=[short(value) for value in mean("sentiment")],
            emotions=highest("emotions"),
            vector=(vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(VECTOR).tobytes(),
            sentences=[sentence for *_, sentences in parts for sentence in sentences],
        )


def _sentiment(sentiment: torch.Tensor, stars: torch.Tensor) -> torch.Tensor:
    """Probabilities of SENTIMENTS, (rows, 3), from both questions' logits, (rows, 3) and (rows, 5): one and two stars speak
    for negative, three for neutral.
    """
    expected = stars.log_softmax(-1)
    classes = [expected[:, columns].logsumexp(1) for columns in (slice(0, 2), slice(2, 3), slice(3, 5))]
    return (sentiment.log_softmax(-1) + _EXPECTED * torch.stack(classes, 1)).softmax(-1)


def pieces_of(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans within the sentence text[start:end] that could prove something by themselves: its clauses, and what commas
    divide them into. Empty for a sentence that cannot be divided.
    """
    sentence = text[start:end]
    spans = []
    for low, high in sentence_spans(sentence):
        spans.append((low, high))
        for pattern in _PIECES:
            cuts = [match.span() for match in pattern.finditer(sentence, low, high)]
            borders = itertools.pairwise([(low, low), *cuts, (high, high)])
            spans += [_trimmed(sentence, end, start) for (_, end), (start, _) in borders]
    wide = sentence.isascii() or not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", sentence)
    least = _SHORTEST if wide else _SHORTEST // 3
    return sorted(
        {(start + a, start + b) for a, b in spans if least <= b - a < len(sentence)}, key=lambda span: span[1] - span[0]
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;:，、；：-–—"):
        end -= 1
    return start, end


def _proof(
    sentence: tuple[int, int],
    pieces: Sequence[tuple[tuple[int, int], np.ndarray]],
    theme: int,
    strength: np.ndarray,
) -> tuple[int, int]:
    """The shortest piece that says about a theme what the sentence says (`strength` per polarity), else the sentence."""
    polarity = int(strength.argmax())
    for span, values in pieces:  # shortest first
        if values[theme, polarity] >= _PROVES * strength[polarity]:
            return span
    return sentence


def _borders(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Token span per character span, both in order of the text."""
    starts = np.array([start for start, _ in offsets])
    ends = np.array([end for _, end in offsets])
    return [
        (int(np.searchsorted(ends, start, side="right")), int(np.searchsorted(starts, end, side="left")))
        for start, end in spans
    ]


def _numpy(values: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: value.cpu().numpy() for name, value in values.items()}


@functools.cache
def load(folder: Path = READER, precision: str = "float32", device: str = "cpu") -> Reader:
    """The reader in `folder`, loaded once; `precision`: of the encoder, float32 or bfloat16; `device`: cpu or cuda. Raises
    InputError if it is missing or damaged, or there is no such device.
    """
    from safetensors.torch import load_file

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError('The profile asks for a GPU and PyTorch finds none here. Set [reader] device = "cpu".')
    try:
        settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        network = encoders.load(folder, precision, device)
        heads = Heads(Questions(tuple(settings["themes"]), tuple(settings["emotions"])), network.width)
        heads.load_state_dict({name: value.float() for name, value in load_file(folder / HEADS).items()})
    except InputError:
        raise
    except Exception as error:  # a truncated file fails in whichever library reads it
        raise InputError(f"The reader in {folder} cannot be loaded ({error}). Reinstall review-insights.") from error
    return Reader(network, heads, settings)


def save(
    encoder: encoders.Encoder, heads: Heads, settings: dict[str, Any], folder: Path, four_bits: frozenset[str]
) -> None:
    """Writes a reader that `load` reads; the heads in bfloat16. What was measured of other weights there goes."""
    from safetensors.torch import save_file

    (folder / shift.FILE).unlink(missing_ok=True)
    encoders.save(encoder, folder, four_bits)
    state = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in heads.state_dict().items()}
    save_file(state, folder / HEADS)
    content = {"themes": list(heads.questions.themes), "emotions": list(heads.questions.emotions), **settings}
    (folder / CONFIG).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
