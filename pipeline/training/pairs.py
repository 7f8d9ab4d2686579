"""Trains the reader of pairs: whether a sentence is a case of a problem of the library, having read both together.

    review-insights train pairs --data DATA --out pipeline/models/reader

From the labels made by reading (`labels/cases.jsonl`, `problems.jsonl`) and the library's own sentences: each with the problems that it is a
case of, and with those that the matching takes for likely and that it is none of. An adapter (LoRA) is trained on the shipped
encoder, which stays as it is. A training that is stopped goes on from its last checkpoint.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from pipeline.advice import matching
from pipeline.advice.cases import statement
from pipeline.advice.problems import Problem, load_problems
from pipeline.backends.adapters import without_bitsandbytes
from pipeline.core.assets import PAIRS
from pipeline.core.rows import Reading
from pipeline.reader import encoder as encoders
from pipeline.reader import pairs as reading_pairs
from pipeline.reader import reading
from pipeline.reader.base import Pair, around, vector_of
from pipeline.reader.pairs import Encoded, Head
from pipeline.training.reader import corpora
from pipeline.training.reader import fit as reader_fit
from pipeline.training.reader.examples import Example, is_held_out

logger = logging.getLogger(__name__)

SEED = 20261127
BATCH = 3_000  # tokens, padding included
RATE = 6e-4
WARMUP = 100  # steps
WRONG = 4  # likely problems that a sentence is none of, at most
MINUTES = 8  # between checkpoints
TARGETS = ["query", "key", "value", "dense"]
RANK, ALPHA = 32, 64

Labelled = tuple[Pair, bool, str]  # whether it is right; the review


def train(
    data: Path, out: Path, *, tokens: int = 9_000_000, minutes: float | None = None, seed: int = SEED
) -> dict[str, Any]:
    """Writes the adapter and the head beside the reader in `out`; returns its figures."""
    started = time.time()
    torch.manual_seed(seed)
    encoder, head, trained = _model(out)
    rows = [row for row in labelled(data, out) if not is_held_out(row[2])]
    logger.info("%d pairs, %d of them right", len(rows), sum(right for _, right, _ in rows))
    encoded = reading_pairs.encode(encoder, [pair for pair, *_ in rows])
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01, fused=True)
    checkpoint = out / f"{PAIRS}.training"
    done, step = _resume(checkpoint, encoder, head)
    first, saved, mean = step, time.time(), 0.0
    for number, batch in enumerate(_stream(encoded, seed)):
        if number < first:
            continue
        if done >= tokens:
            break
        scale = min((number + 1) / WARMUP, max(0.02, 1 - done / tokens))
        for group in optimizer.param_groups:
            group["lr"] = RATE * scale
        with torch.autocast("cpu", torch.bfloat16):
            values = reading_pairs.logits(encoder, head, [encoded[index] for index in batch])
        truth = torch.tensor([float(rows[index][1]) for index in batch])
        loss = functional.binary_cross_entropy_with_logits(values.float(), truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        done += sum(len(encoded[index][0]) for index in batch)
        mean = 0.98 * mean + 0.02 * loss.item()
        if number % 50 == 0:
            logger.info("step %d, %d of %d tokens, %.0f s: %.3f", number, done, tokens, time.time() - started, mean)
        is_over = minutes is not None and time.time() - started > 60 * minutes
        if is_over or done >= tokens or time.time() - saved > 60 * MINUTES:
            _save(checkpoint, encoder, head, done, number + 1)
            saved = time.time()
        if is_over and done < tokens:
            return {"tokens": done, "checkpoint": str(checkpoint)}
    _ship(encoder, head, out / PAIRS)
    reading_pairs.load.cache_clear()
    return {"tokens": done, "seed": seed, "pairs": len(rows)}


# --- data ---


def labelled(data: Path, reader: Path) -> list[Labelled]:
    """Every pair that a label decides, and likely ones that it excludes."""
    problems = load_problems()
    matcher = matching.load(problems, reader, reading.load(reader).read)
    known = {problem.id: problem for problem in problems}
    rng, found = random.Random(SEED), list[Labelled]()
    for example, sentence, right, theme, vector in _sentences(data, reader, problems):
        ranked = [match.problem for match in matcher.ranked(vector, theme)[:12]]
        wrong = [name for name in ranked if name not in right][:WRONG]
        if right and theme == "" and len(wrong) > 2:
            wrong = wrong[:2] + rng.sample(wrong[2:], 1)
        place = example.sentences[sentence]
        said, context = example.text[slice(*place)], around(example.text, *place)
        for name in [*right, *wrong]:
            found.append((Pair(statement(known[name]), said, context), name in right, example.text))
    return found


def _sentences(
    data: Path, reader: Path, problems: Sequence[Problem]
) -> Iterator[tuple[Example, int, tuple[str, ...], str, np.ndarray]]:
    """(example, sentence, problems that it is a case of, theme that is known, its vector)."""
    known = frozenset(reader_fit.themes())
    sets = [
        corpora.cases(data),
        corpora.gold(data, known),
        corpora.labelled(data, known, published=True),
        corpora.own_reviews(known),
    ]
    examples = [example for rows in sets for example in rows if example.cases]
    for problem in problems:
        for language, sentences in problem.say:
            for text in sentences:
                case = corpora.Case(0, (problem.id,))
                examples.append(Example(text, language, "library", ((0, len(text)),), cases=(case,)))
    names = {problem.id for problem in problems}
    readings = reading.load(reader).read([example.text for example in examples])
    for example, found in zip(examples, readings, strict=True):
        for case in example.cases:
            vector = _vector(example, case.sentence, found)
            if case.is_one and set(case.problems) <= names and vector is not None:
                yield example, case.sentence, case.problems, case.theme, vector


def _vector(example: Example, sentence: int, found: Reading) -> np.ndarray | None:
    """Of the sentence that was read where the labelled one begins."""
    start = example.sentences[sentence][0]
    said = next((s for s in found["sentences"] if s["start"] <= start < s["end"]), None)
    return vector_of(said["vector"]) if said and said.get("vector") else None


def _stream(encoded: Sequence[Encoded], seed: int) -> Iterator[list[int]]:
    """Batches of similar length without an end, the same for the same seed."""
    rng = random.Random(seed)
    while True:
        order = rng.sample(range(len(encoded)), len(encoded))
        for at in range(0, len(order), 2000):
            block = order[at : at + 2000]
            batches = [
                [block[i] for i in some] for some in encoders.by_tokens([len(encoded[i][0]) for i in block], BATCH)
            ]
            rng.shuffle(batches)
            yield from batches


# --- the model and its files ---


def _model(reader: Path) -> tuple[encoders.Encoder, Head, list[torch.nn.Parameter]]:
    with without_bitsandbytes():
        from peft import LoraConfig, get_peft_model

    encoder = encoders.load(reader)
    reader_fit.replace_dropout(encoder.network)
    layers = list(range(reader_fit.FROZEN, encoder.network.config.num_hidden_layers))
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, layers_to_transform=layers)
    network = get_peft_model(encoder.network, config)
    network.train()
    head = Head(encoder.width)
    trained = [p for p in [*network.parameters(), *head.parameters()] if p.requires_grad]
    wrapped = encoders.Encoder(network, encoder.tokenizer, encoder.prefix, encoder.suffix, encoder.pad_id)
    return wrapped, head, trained


def _save(folder: Path, encoder: encoders.Encoder, head: Head, done: int, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: p.detach() for n, p in encoder.network.named_parameters() if "lora_" in n}
    tensors |= {f"head.{n}": p.detach() for n, p in head.named_parameters()}
    save_file(tensors, folder / "new.safetensors", {"state": json.dumps([done, step])})
    (folder / "new.safetensors").replace(folder / "checkpoint.safetensors")
    logger.info("checkpoint at step %d, %d tokens", step, done)


def _resume(folder: Path, encoder: encoders.Encoder, head: Head) -> tuple[int, int]:
    """Tokens and steps done."""
    from safetensors import safe_open

    file = folder / "checkpoint.safetensors"
    if not file.is_file():
        return 0, 0
    tensors = load_file(file)
    parameters = dict(encoder.network.named_parameters())
    with torch.no_grad():
        for name, value in tensors.items():
            if name.startswith("head."):
                head.get_parameter(name.removeprefix("head.")).copy_(value)
            else:
                parameters[name].copy_(value)
    with safe_open(file, "pt") as opened:
        done, step = json.loads(opened.metadata()["state"])
    logger.info("going on from step %d", step)
    return int(done), int(step)


def _ship(encoder: encoders.Encoder, head: Head, folder: Path) -> None:
    """The adapter as peft writes it, and the head, in bfloat16."""
    network: Any = encoder.network
    network.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "encoder.safetensors beside it"
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    adapter = folder / "adapter_model.safetensors"
    save_file({name: value.to(torch.bfloat16) for name, value in load_file(adapter).items()}, adapter)
    save_file({n: p.detach().to(torch.bfloat16) for n, p in head.named_parameters()}, folder / "head.safetensors")
