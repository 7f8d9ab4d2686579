"""Fits the encoder and its heads: all questions at once, on two CPU cores.

Batches are drawn from the corpora by fixed shares of the tokens, without an end, so the learning rate is warm-up, plateau
and decay (Hu et al. 2024, "MiniCPM", section 4): a checkpoint on the plateau can be trained on, or be cooled down at any
time. Every ten minutes a checkpoint is written, from which the same command goes on.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from pipeline.core.labels import EMOTIONS
from pipeline.reader.encoder import Encoder, by_tokens, pretrained
from pipeline.reader.network import Heads, Questions
from pipeline.training.reader import base, corpora, parallel, problems
from pipeline.training.reader.examples import Example, is_held_out
from pipeline.training.reader.loss import Encoded, Known, encode, losses

logger = logging.getLogger(__name__)

SEED = 20261125
BATCH = 2_800  # tokens, padding included
ROWS = 56  # texts, at most
DROPOUT = 0.1
FROZEN = 2  # lowest layers that keep what pretraining made of 94 languages; the embeddings do as well
RATE, HEADS_RATE = 1.2e-4, 1e-3
WARMUP = 100  # steps
DECAY = 0.2  # of the tokens
MINUTES = 10  # between checkpoints
# Share of the tokens by corpus.
SHARES = {
    "gold": 0.10,
    "labels": 0.09,
    "sentences": 0.05,
    "problems": 0.14,
    "cases": 0.24,
    "written": 0.10,
    "reread": 0.07,
    "aspects": 0.02,
    "parallel": 0.02,
    "patients": 0.01,
    "targets": 0.03,
    "classes": 0.05,
    "stars": 0.02,
    "comments": 0.04,
    "elsewhere": 0.02,
}


WHOLE = frozenset(
    {"gold", "labels", "sentences", "problems", "cases", "written", "patients", "targets"}
)  # every row as often as any other


@dataclass
class Model:
    """The encoder and its heads."""

    encoder: Encoder
    heads: Heads
    proxies: problems.Proxies


def themes() -> tuple[str, ...]:
    """The subjects that the shipped reader knows, in the order of its outputs."""
    from pipeline.themes.taxonomy import load_aspects

    return tuple(sorted(aspect.id for aspect in load_aspects()))


def read(data: Path) -> dict[str, list[Example]]:
    """Training examples by corpus, those for development left out."""
    known = frozenset(themes())
    of_aspects = list(corpora.aspects(data, known))
    found: dict[str, Iterable[Example]] = {
        "gold": corpora.gold(data, known),
        "labels": corpora.labelled(data, known, published=True),
        "sentences": corpora.own_sentences(known),
        "problems": problems.examples(),
        "cases": [example for example in corpora.cases(data) if not is_held_out(example.text)],
        "written": corpora.own_reviews(known),
        "reread": [example for example in of_aspects if example.is_reread],
        "aspects": [example for example in of_aspects if not example.is_reread],
        "parallel": parallel.translations(example for example in of_aspects if not example.is_reread),
        "patients": corpora.patients(data, known),
        "targets": corpora.targets(data),
        "classes": corpora.classes(data),
        "stars": corpora.stars(data),
        "comments": corpora.comments(data),
        "elsewhere": corpora.comments_elsewhere(data),
    }
    development = {example.text for example in development_reviews(data)}
    return {
        name: [example for example in examples if example.text and example.text not in development]
        for name, examples in found.items()
    }


def development_reviews(data: Path) -> list[Example]:
    """The labelled reviews that no training sees."""
    known = frozenset(themes())
    rows = [*corpora.gold(data, known), *corpora.labelled(data, known, published=True)]
    return [row for row in rows if is_held_out(row.text)]


def fit(
    data: Path,
    checkpoint: Path,
    *,
    tokens: int,
    seconds: float | None = None,
    seed: int = SEED,
    encoder: str | None = None,
) -> Model | None:
    """Trains on `tokens` tokens of text, padding not counted. Goes on from `checkpoint` if there is one; after `seconds` it
    stops with a checkpoint and returns None. `encoder`: what to start from, as `pretrained` takes it; None: ours.
    """
    started = time.time()
    torch.manual_seed(seed)
    examples = read(data)
    start = pretrained(encoder) if encoder else _encoder(checkpoint, examples)
    model = Model(start, Heads(Questions(themes(), EMOTIONS), start.width), problems.Proxies(start.width))
    known = Known.of(model.heads.questions)
    trained = _prepare(model)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.encoder.network.parameters() if p.requires_grad], "lr": RATE},
            {"params": [*model.heads.parameters(), *model.proxies.parameters()], "lr": HEADS_RATE},
        ],
        weight_decay=0.01,
        fused=True,
    )
    encoded = {name: list(zip(rows, encode(model.encoder, rows), strict=True)) for name, rows in examples.items()}
    logger.info(
        "%s examples; %d tokens in the vocabulary",
        {n: len(r) for n, r in encoded.items()},
        model.encoder.network.config.vocab_size,
    )
    originals = parallel.originals(examples.get("aspects", ()))
    of_originals = [item.ids for item in encode(model.encoder, originals)]

    def lessons() -> parallel.Lessons:
        return parallel.lessons(model.encoder, model.heads, originals, of_originals, known.theme)

    done, first, taught = _resume(checkpoint, model, optimizer, originals)
    if first >= parallel.EVERY and taught is None and originals:
        taught = lessons()
    saved = time.time()
    seen: dict[str, float] = {}
    for step, batch in enumerate(stream(encoded, seed)):
        if step < first:
            continue
        if done >= tokens:
            break
        if step and step % parallel.EVERY == 0 and originals:
            taught = lessons()
        torch.manual_seed(seed + step)  # dropout, whether or not a checkpoint came before
        scale = min((step + 1) / WARMUP, max(0.02, min(1.0, (tokens - done) / (DECAY * tokens))))
        for group, rate in zip(optimizer.param_groups, (RATE, HEADS_RATE), strict=True):
            group["lr"] = rate * scale
        with torch.autocast("cpu", torch.bfloat16):
            hidden, mask = model.encoder.hidden([item.ids for _, item in batch])
        parts = losses(model.heads, model.proxies, hidden, mask, batch, known, taught)
        if not parts:  # nothing in it is labelled
            continue
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        done += sum(len(item.ids) for _, item in batch)
        for name, value in parts.items():
            seen[name] = 0.98 * seen.get(name, value.item()) + 0.02 * value.item()
        if step % 50 == 0:
            logger.info(
                "step %d, %d of %d tokens, %.0f s: %s",
                step,
                done,
                tokens,
                time.time() - started,
                {n: round(v, 3) for n, v in seen.items()},
            )
        is_over = seconds is not None and time.time() - started > seconds
        if is_over or done >= tokens or time.time() - saved > 60 * MINUTES:
            _save(checkpoint, model, optimizer, taught, done, step + 1)
            saved = time.time()
        if is_over and done < tokens:
            return None
    model.encoder.network.eval()
    return model


def _encoder(checkpoint: Path, examples: Mapping[str, Sequence[Example]]) -> Encoder:
    """The pretrained encoder; with the vocabulary of the checkpoint if there is one, as texts may have come since."""
    kept = checkpoint / "vocabulary.json"
    whole = base.read(base.locate())
    if not kept.is_file():
        checkpoint.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(base.vocabulary(whole, _texts(examples))))
    return base.trimmed(whole, json.loads(kept.read_text()))


def _texts(examples: Mapping[str, Sequence[Example]]) -> list[str]:
    return [example.text for rows in examples.values() for example in rows]


def _prepare(model: Model) -> list[nn.Parameter]:
    network = model.encoder.network
    network.train()
    replace_dropout(network)
    still = ["embeddings.", *(f"encoder.layer.{layer}." for layer in range(FROZEN))]
    for name, parameter in network.named_parameters():
        parameter.requires_grad = not name.startswith(tuple(still))
    every = [*network.parameters(), *model.heads.parameters(), *model.proxies.parameters()]
    return [p for p in every if p.requires_grad]


class FeatureDropout(nn.Module):
    """Dropout of the same features in all tokens of a text: as good a regulariser here, and without a random number per
    activation, which took a sixth of the training's time.
    """

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """values: (rows, tokens, width)."""
        if not self.training or values.ndim != 3:
            return values
        kept = torch.empty(len(values), 1, values.shape[-1], dtype=values.dtype).bernoulli_(1 - DROPOUT)
        return values * kept / (1 - DROPOUT)


def replace_dropout(network: nn.Module) -> None:
    """Hidden layers get FeatureDropout, attention none."""
    network.set_attn_implementation("eager")  # type: ignore[operator]  # its gradient is faster than SDPA's on CPUs
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, nn.Dropout(0.0) if hasattr(module, "query") else FeatureDropout())


def stream(
    encoded: Mapping[str, Sequence[tuple[Example, Encoded]]], seed: int
) -> Iterator[list[tuple[Example, Encoded]]]:
    """Batches of similar length, of all corpora by SHARES, without an end; the same for the same seed."""
    rng = random.Random(seed)
    walks = {name: _walk(rows, random.Random(f"{seed} {name}"), name) for name, rows in encoded.items() if rows}
    given = dict.fromkeys(walks, 0.0)
    while True:
        block: list[tuple[Example, Encoded]] = []
        total = 0
        while total < 40 * BATCH:
            name = min(walks, key=lambda name: given[name] / SHARES[name])
            item = next(walks[name])
            block.append(item)
            given[name] += len(item[1].ids)
            total += len(item[1].ids)
        rng.shuffle(block)
        batches = [
            indices[at : at + ROWS]
            for indices in by_tokens([len(item.ids) for _, item in block], BATCH)
            for at in range(0, len(indices), ROWS)
        ]
        rng.shuffle(batches)
        for indices in batches:
            yield [block[index] for index in indices]


def _walk(rows: Sequence[tuple[Example, Encoded]], rng: random.Random, name: str) -> Iterator[tuple[Example, Encoded]]:
    """The rows of a corpus again and again, each time in another order. Of large corpora, languages and labels come more
    evenly than they are: a group's share grows with the root of its size.
    """
    if name in WHOLE:
        while True:
            yield from rng.sample(rows, len(rows))
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, (example, _) in enumerate(rows):
        groups.setdefault(_group(example, name), []).append(index)
    names = sorted(groups)
    weights = [len(groups[group]) ** 0.5 for group in names]
    left: dict[tuple[str, ...], list[int]] = {group: [] for group in names}
    while True:
        group = rng.choices(names, weights)[0]
        if not left[group]:
            left[group] = rng.sample(groups[group], len(groups[group]))
        yield rows[left[group].pop()]


def _group(example: Example, name: str) -> tuple[str, ...]:
    if name in ("classes", "stars"):
        return (example.source, example.language, str(example.sentiment), str(example.stars))
    return (example.source, example.language)


def _save(
    path: Path,
    model: Model,
    optimizer: torch.optim.Optimizer,
    taught: parallel.Lessons | None,
    done: int,
    step: int,
) -> None:
    tensors = {f"encoder.{n}": v for n, v in model.encoder.network.state_dict().items()}
    tensors |= {f"heads.{n}": v for n, v in model.heads.state_dict().items()}
    tensors |= {f"proxies.{n}": v for n, v in model.proxies.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    tensors |= {f"taught.{n}": v for n, v in (taught.answers if taught else {}).items()}
    path.mkdir(parents=True, exist_ok=True)
    save_file(
        {n: v.contiguous() for n, v in tensors.items()}, path / "new.safetensors", {"state": json.dumps([done, step])}
    )
    (path / "new.safetensors").replace(path / "checkpoint.safetensors")
    logger.info("checkpoint at step %d, %d tokens", step, done)


def _resume(
    path: Path, model: Model, optimizer: torch.optim.Optimizer, originals: Sequence[Example]
) -> tuple[int, int, parallel.Lessons | None]:
    """Tokens and steps done, and the lessons of then."""
    from safetensors import safe_open

    file = path / "checkpoint.safetensors"
    if not file.is_file():
        return 0, 0, None
    tensors = load_file(file)
    load(model, tensors)
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            states.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    with safe_open(file, "pt") as opened:
        done, step = json.loads(opened.metadata()["state"])
    logger.info("going on from step %d", step)
    answers = {n.removeprefix("taught."): v for n, v in tensors.items() if n.startswith("taught.")}
    if not answers or len(answers["themes"]) != len(originals):  # the data have changed
        return done, step, None
    return done, step, parallel.Lessons({row.key: index for index, row in enumerate(originals)}, answers)


def load(model: Model, tensors: Mapping[str, torch.Tensor]) -> None:
    """Fills a model from a checkpoint's tensors."""
    modules = (("encoder.", model.encoder.network), ("heads.", model.heads), ("proxies.", model.proxies))
    for part, module in modules:
        module.load_state_dict({n.removeprefix(part): v for n, v in tensors.items() if n.startswith(part)})
