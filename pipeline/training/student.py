"""Trains the embedded base student: a small PhiForCausalLM with a vocabulary of its own.

    review-insights train student --data DATA --out pipeline/models/student

Three phases, each starting from the weights of the one before:

1. the English of reviews: plain language modelling on the texts of `reviews/`;
2. feedback from facts: for every unhappy review the prompt `student.v2` (stars, emotions, complaints by name) and the
   playbook's text for the same facts, as a list with markers for quotes (`pipeline.advice.markers.listed`); loss on the text
   and its stop token only;
3. the style of a large model: the Mistral-7B texts of the original project's pairs (`seed/`) in the same form, alternating
   with the playbook's, whose advice is better. The weights with the least loss on held-out Mistral texts are kept.

The facts come from the pipeline itself, run up to `feedback`. Reviews whose hash falls into the test split (`split_of`)
are left out throughout. `distill` later trains an adapter on top, on the texts of the profile's teacher.
"""

from __future__ import annotations

import csv
import itertools
import json
import logging
import math
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PhiConfig, PhiForCausalLM, PreTrainedTokenizerFast

from pipeline.advice import markers
from pipeline.advice.request import request
from pipeline.backends.base import Request
from pipeline.core.profile import load as load_profile
from pipeline.core.warehouse import open_read_only
from pipeline.ingest.understanding import IngestOptions
from pipeline.run import run
from pipeline.text import duplicates
from pipeline.text.repair import repair
from pipeline.training.fit import SEED, split_of
from pipeline.training.reader import corpora

logger = logging.getLogger(__name__)

CONTEXT = 512
SIZE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 8}
PROMPT = "student.v3"
NAMES = (
    "Blue Golden Green Little Grand Old Royal Corner Sunny North River Harbor Maple Silver Urban Happy Red Lucky Oak Stone",
    "Kitchen Hotel Cafe Grill Store Market Lodge Bistro Clinic Garage Salon Airways Bank Boutique Bakery Pharmacy Gym Resort",
)
_PROMPT = re.compile(r"left us a (\d)-star review: ['\"](.*)['\"] The customer feels (.*?)\. Concisely", re.DOTALL)
_ASKED = "for this customer's experience?"  # the end of the question; the answer comes after it

Example = tuple[list[int], int]  # token ids of prompt and answer, length of the prompt
Batch = tuple[torch.Tensor, torch.Tensor]  # token ids and labels, both of shape (rows, tokens)


class Pair(TypedDict):
    """A review and the feedback a large model wrote about it."""

    text: str
    stars: float
    emotions: list[str]
    answer: str


def train(
    data: Path,
    out: Path,
    *,
    init: Path | None = None,
    vocabulary: int = 6000,
    review_steps: int = 900,
    playbook_steps: int = 900,
    pair_steps: int = 400,
) -> dict[str, Any]:
    """Writes the model to `out` and returns its figures. `init`: a student to continue from; its vocabulary is kept and
    the first phase skipped. `vocabulary`: tokens. `*_steps`: updates in each phase.
    """
    torch.manual_seed(SEED)
    rng, started = random.Random(SEED), time.time()
    pairs = {row["text"]: row for row in read_pairs(data) if split_of(row["text"]) != "test"}
    reviews = review_texts(data)
    unhappy = unhappy_reviews(data, pairs.values())
    if init:
        tokenizer = AutoTokenizer.from_pretrained(init)
        network = PhiForCausalLM.from_pretrained(init, dtype=torch.float32)
    else:
        tokenizer = build_tokenizer([*reviews, *(row["answer"] for row in pairs.values())], vocabulary)
        network = untrained(tokenizer, vocabulary)
        optimize(network, review_batches(reviews, tokenizer, rng), review_steps, 2e-3)

    playbook, mistral = feedback_examples(unhappy, pairs, tokenizer)
    pad = tokenizer.pad_token_id
    optimize(network, pair_batches(playbook["train"], 16, pad, rng), playbook_steps, 1e-3)
    both = (pair_batches(examples["train"], 16, pad, rng) for examples in (playbook, mistral))
    alternating = itertools.chain.from_iterable(zip(*both, strict=True))
    optimize(network, alternating, pair_steps, 5e-4, lambda: completion_loss(network, mistral["dev"], pad))

    sources = {"playbook": playbook, "mistral": mistral}
    report = {
        "seed": SEED,
        "minutes": round((time.time() - started) / 60, 1),
        "parameters": sum(p.numel() for p in network.parameters()),
        "examples": {name: len(examples["train"]) for name, examples in sources.items()},
        "completion_loss_dev": {
            name: round(completion_loss(network, examples["dev"], pad), 4) for name, examples in sources.items()
        },
    }
    network.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    duplicates.save([*reviews, *(text for text, *_ in unhappy)], out)
    (out / "figures.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def read_pairs(data: Path) -> list[Pair]:
    """The original project's reviews, each with one of Mistral's texts."""
    csv.field_size_limit(10**9)
    rows: list[Pair] = []
    for name, prompt, output in (
        ("yelp_mistral_999.csv", "prompt", "response"),
        ("yelp_mistral_163.csv", "input", "mistral_output"),
        ("phi2_vs_mistral_500.csv", "input", "mistral_output"),
    ):
        with (data / "seed" / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                match = _PROMPT.search(row[prompt])
                answer = row[output].rpartition(_ASKED)[2].replace("[/INST]", "").strip()
                if match and len(answer) > 80:
                    # The original text is preferred: in the prompt its line breaks became the letter n.
                    text = repair(row.get("text") or re.sub(r" n ?n(?=[a-z ])", "\n\n", match[2]))
                    rows.append(
                        {
                            "text": text,
                            "stars": float(match[1]),
                            "emotions": match[3].split(", "),
                            "answer": answer,
                        }
                    )
    return list({row["text"]: row for row in rows}.values())


def build_tokenizer(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with a vocabulary of `size` tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>", "<|pad|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        pad_token="<|pad|>",
        model_max_length=CONTEXT,
    )


def untrained(tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> PhiForCausalLM:
    """A Phi of SIZE with random weights."""
    return PhiForCausalLM(
        PhiConfig(
            vocab_size=vocabulary,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **SIZE,
        )
    )


def review_texts(data: Path) -> list[str]:
    """The reviews of the first phase."""
    texts = [row.text for row in corpora.stars(data)]
    return [text for text in texts if split_of(text) != "test" and 40 < len(text) < 3000]


def unhappy_reviews(data: Path, pairs: Iterable[Pair]) -> list[tuple[str, float, str]]:
    """(text, stars, business) of reviews with three stars or fewer, of complaints without stars (which get random ones), and
    of the pairs. Four in ten get a made-up business, since real files come with and without.
    """
    import pandas as pd

    rng = random.Random(SEED)
    candidates = [(row.text, float(row.stars[0])) for row in corpora.stars(data) if row.stars and row.stars[0] <= 3]
    flights = pd.read_csv(data / "reviews" / "british_airways.csv").iloc[:, -1].dropna()
    candidates += [(repair(re.sub(r"^.*?\|", "", text)), rng.choice((1.0, 2.0, 3.0))) for text in flights]
    stays = pd.read_csv(data / "reviews" / "booking_boston.csv")["review_text_negative"].dropna()
    candidates += [(repair(str(text)), rng.choice((1.0, 2.0, 3.0))) for text in stays]
    candidates += [(row["text"], row["stars"]) for row in pairs]
    texts = {text: stars for text, stars in candidates if 30 < len(text) < 3000 and split_of(text) != "test"}
    names = [f"{first} {second}" for first in NAMES[0].split() for second in NAMES[1].split()]
    return [(text, stars, rng.choice(names) if rng.random() < 0.4 else "") for text, stars in texts.items()]


def label(reviews: list[tuple[str, float, str]], folder: Path) -> list[dict[str, Any]]:
    """Runs the pipeline on these reviews: English rows of `unhappy` with the playbook's feedback as `completion`."""
    file, warehouse = folder / "reviews.csv", folder / "warehouse.duckdb"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["text", "stars", "business"])
        writer.writerows(reviews)
    run([str(file)], warehouse, load_profile("embedded"), IngestOptions(), until="feedback")
    reader = open_read_only(warehouse)
    try:
        return reader.query(
            "SELECT u.*, f.text AS completion FROM unhappy(3) u JOIN feedback f USING (review_id) "
            "WHERE f.role = 'teacher' AND f.error IS NULL AND coalesce(language, 'en') = 'en' ORDER BY review_id"
        )
    finally:
        reader.close()


def feedback_examples(
    unhappy: list[tuple[str, float, str]], pairs: Mapping[str, Pair], tokenizer: PreTrainedTokenizerFast
) -> tuple[dict[str, list[Example]], dict[str, list[Example]]]:
    """(examples by the playbook, examples by Mistral), each by split: train and dev."""
    playbook: dict[str, list[Example]] = {"train": [], "dev": []}
    mistral: dict[str, list[Example]] = {"train": [], "dev": []}
    with tempfile.TemporaryDirectory() as folder:
        rows: list[Any] = label(unhappy, Path(folder))  # rows of `unhappy`, with their completion
    for row in rows:
        split, prompt = split_of(row["text"]), request(row, PROMPT)
        playbook[split].append(as_example(prompt, row["completion"], tokenizer))
        if row["text"] in pairs:
            mistral[split].append(as_example(prompt, pairs[row["text"]]["answer"], tokenizer))
    return playbook, mistral


def as_example(prompt: Request, answer: str, tokenizer: PreTrainedTokenizerFast) -> Example:
    """Token ids of the prompt and of the answer, as a list with markers, and the stop token; cut to CONTEXT."""
    prompt_ids = tokenizer(prompt.prompt)["input_ids"]
    ids = prompt_ids + tokenizer(" " + markers.delexicalise(answer, prompt.slots))["input_ids"] + [tokenizer.eos_token_id]
    return ids[:CONTEXT], len(prompt_ids)


def packed(documents: list[list[int]], length: int, eos: int, rng: random.Random) -> Iterator[list[int]]:
    """Endless stream of blocks of `length` tokens: documents reshuffled each pass and separated by the stop token."""
    buffer: list[int] = []
    while True:
        for index in rng.sample(range(len(documents)), len(documents)):
            buffer += [*documents[index], eos]
            while len(buffer) >= length:
                yield buffer[:length]
                buffer = buffer[length:]


def optimize(
    network: PhiForCausalLM,
    batches: Iterator[Batch],
    steps: int,
    rate: float,
    dev_loss: Callable[[], float] | None = None,
) -> None:
    """`steps` updates with AdamW, warm-up and cosine decay; labels of -100 carry no loss. With `dev_loss`, called every 50
    steps, the network ends with the weights that had the lowest. Progress is logged at level INFO.
    """
    decayed = [p for p in network.parameters() if p.dim() >= 2]
    rest = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95))
    network.train()
    started, tokens = time.time(), 0
    lowest, kept = math.inf, network.state_dict()
    for step in range(steps):
        factor = min((step + 1) / (0.05 * steps), 0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        ids, labels = next(batches)
        tokens += ids.numel()
        loss = network(input_ids=ids, labels=labels).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0 or step == steps - 1:
            speed = tokens / (time.time() - started)
            logger.info("step %d/%d loss %.3f %.0f tokens/s", step, steps, loss.item(), speed)
        if dev_loss and ((step + 1) % 50 == 0 or step == steps - 1) and (current := dev_loss()) < lowest:
            logger.info("step %d: %.4f on dev", step, current)
            lowest, kept = current, {name: value.clone() for name, value in network.state_dict().items()}
    if dev_loss:
        network.load_state_dict(kept)


def pair_batches(examples: list[Example], size: int, pad: int, rng: random.Random) -> Iterator[Batch]:
    """Endless batches of examples of similar length, with labels on the answer alone."""
    while True:
        order = sorted(rng.sample(range(len(examples)), len(examples)), key=lambda i: len(examples[i][0]) // 32)
        chunks = [order[at : at + size] for at in range(0, len(order) - size + 1, size)]
        rng.shuffle(chunks)
        for chunk in chunks:
            width = max(len(examples[i][0]) for i in chunk)
            ids = torch.full((len(chunk), width), pad)
            labels = torch.full((len(chunk), width), -100)
            for at, i in enumerate(chunk):
                tokens, prompt = examples[i]
                ids[at, : len(tokens)] = torch.tensor(tokens)
                labels[at, prompt : len(tokens)] = torch.tensor(tokens[prompt:])
            yield ids, labels


def review_batches(texts: list[str], tokenizer: PreTrainedTokenizerFast, rng: random.Random) -> Iterator[Batch]:
    """Endless batches of 16 blocks of plain text, each token a label."""
    blocks = packed([tokenizer(text)["input_ids"] for text in texts], 256, tokenizer.eos_token_id, rng)
    while True:
        ids = torch.tensor([next(blocks) for _ in range(16)])
        yield ids, ids


@torch.inference_mode()
def completion_loss(network: PhiForCausalLM, examples: list[Example], pad: int) -> float:
    """Mean loss per batch of eight, on the answers alone."""
    network.eval()
    batches = pair_batches(examples, min(8, len(examples)), pad, random.Random(0))
    losses = []
    for _ in range(len(examples) // 8):
        ids, labels = next(batches)
        losses.append(network(input_ids=ids, labels=labels).loss.item())
    network.train()
    return sum(losses) / len(losses)
