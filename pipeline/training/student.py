"""Trains the embedded base student: a small PhiForCausalLM with a vocabulary of its own.

    python -m pipeline.training.student --data DATA --out pipeline/models/student

Three lessons, each on the weights of the one before:

1. to write English as reviews do: plain language modelling on the texts of `reviews/`;
2. to write feedback from facts: the prompt `student.v2` (stars, emotions, complaints by name) and the text the playbook
   wrote for the same facts, as a list with markers for quotes (`pipeline.advice.markers.listed`), for every unhappy review;
   loss on the text and its stop token only;
3. to write as a large model does: the Mistral-7B texts of the original project's pairs (`seed/`) in the same form, in turn
   with the playbook's, which knows better what to do. The weights with the least loss on held-out Mistral texts are kept.

The facts come from the pipeline itself, run up to `feedback`. Reviews whose hash falls into the test split (`split_of`)
are left out throughout. `distill` later trains an adapter on top, with the texts of whatever teacher a profile names.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PhiConfig, PhiForCausalLM, PreTrainedTokenizerFast

from pipeline.advice import markers
from pipeline.advice.request import request
from pipeline.backends.base import Request
from pipeline.core.profile import load as load_profile
from pipeline.core.warehouse import open_read_only
from pipeline.ingest.load import IngestOptions
from pipeline.run import run
from pipeline.text import duplicates
from pipeline.text.repair import repair
from pipeline.training.fit import SEED, split_of
from pipeline.training.sentiment import STARS
from pipeline.training.sentiment import read as read_reviews

CONTEXT = 512
SIZE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 8}
PROMPT = "student.v2"
NAMES = (
    "Blue Golden Green Little Grand Old Royal Corner Sunny North River Harbor Maple Silver Urban Happy Red Lucky Oak Stone",
    "Kitchen Hotel Cafe Grill Store Market Lodge Bistro Clinic Garage Salon Airways Bank Boutique Bakery Pharmacy Gym Resort",
)
_PROMPT = re.compile(r"left us a (\d)-star review: ['\"](.*)['\"] The customer feels (.*?)\. Concisely", re.DOTALL)
_ASKED = "for this customer's experience?"


def read_pairs(data: Path) -> list[dict[str, Any]]:
    """Rows with review, stars, emotions and Mistral's text, one per review."""
    csv.field_size_limit(10**9)
    rows = []
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
                    # Where the original text is there it is better than the one whose line breaks became the letter n.
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


def unhappy_reviews(data: Path, pairs: list[dict[str, Any]]) -> list[tuple[str, float, str]]:
    """(text, stars, business) of reviews with three stars or fewer, of complaints without stars, and of the pairs. Four
    in ten get a made-up business, as files come with and without.
    """
    import pandas as pd

    rng = random.Random(SEED)
    masks = {mask: float(stars) for stars, mask in STARS.items()}
    found = [
        (text, masks[mask])
        for rows in read_reviews(data).values()
        for text, mask, _ in rows
        if masks.get(mask, 5.0) <= 3
    ]
    flights = pd.read_csv(data / "reviews" / "british_airways.csv").iloc[:, -1].dropna()
    found += [(repair(re.sub(r"^.*?\|", "", text)), rng.choice((1.0, 2.0, 3.0))) for text in flights]
    stays = pd.read_csv(data / "reviews" / "booking_boston.csv")["review_text_negative"].dropna()
    found += [(repair(str(text)), rng.choice((1.0, 2.0, 3.0))) for text in stays]
    found += [(row["text"], row["stars"]) for row in pairs]
    texts = {text: stars for text, stars in found if 30 < len(text) < 3000 and split_of(text) != "test"}
    names = [f"{first} {second}" for first in NAMES[0].split() for second in NAMES[1].split()]
    return [(text, stars, rng.choice(names) if rng.random() < 0.4 else "") for text, stars in texts.items()]


def label(reviews: list[tuple[str, float, str]], folder: Path) -> list[dict[str, Any]]:
    """Rows of `unhappy` with the playbook's feedback as `completion`, English ones, by the pipeline itself."""
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


def as_example(wanted: Request, answer: str, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], int]:
    """(token ids with the stop token, length of the prompt)."""
    prompt_ids = tokenizer(wanted.prompt)["input_ids"]
    ids = prompt_ids + tokenizer(" " + markers.listed(answer, wanted.slots))["input_ids"] + [tokenizer.eos_token_id]
    return ids[:CONTEXT], len(prompt_ids)


def packed(documents: list[list[int]], length: int, eos: int, rng: random.Random) -> Iterator[list[int]]:
    """Endless stream of blocks of `length` tokens, documents shuffled anew each pass and parted by the stop token."""
    buffer: list[int] = []
    while True:
        for index in rng.sample(range(len(documents)), len(documents)):
            buffer += [*documents[index], eos]
            while len(buffer) >= length:
                yield buffer[:length]
                buffer = buffer[length:]


def train(
    network: PhiForCausalLM,
    batches: Iterator[tuple[torch.Tensor, torch.Tensor]],
    steps: int,
    rate: float,
    judge: Callable[[], float] | None = None,
) -> None:
    """`steps` updates with AdamW, warm-up and cosine decay; labels of -100 carry no loss. With `judge` (a loss, asked every
    50 steps) the best weights are in the network at the end.
    """
    decayed = [p for p in network.parameters() if p.dim() >= 2]
    rest = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95))
    network.train()
    started, tokens = time.time(), 0
    least, kept = math.inf, network.state_dict()
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
            print(f"step {step}/{steps} loss {loss.item():.3f} {speed:.0f} tokens/s", file=sys.stderr, flush=True)
        if judge and ((step + 1) % 50 == 0 or step == steps - 1) and (reached := judge()) < least:
            print(f"step {step}: {reached:.4f} on dev", file=sys.stderr, flush=True)
            least, kept = reached, {name: value.clone() for name, value in network.state_dict().items()}
    if judge:
        network.load_state_dict(kept)


def pair_batches(examples: list[tuple[list[int], int]], size: int, pad: int, rng: random.Random) -> Iterator[Any]:
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


@torch.inference_mode()
def completion_loss(network: PhiForCausalLM, examples: list[tuple[list[int], int]], pad: int) -> float:
    network.eval()
    batches = pair_batches(examples, min(8, len(examples)), pad, random.Random(0))
    losses = []
    for _ in range(len(examples) // 8):
        ids, labels = next(batches)
        losses.append(network(input_ids=ids, labels=labels).loss.item())
    network.train()
    return sum(losses) / len(losses)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--init", type=Path, help="a student to go on from: its vocabulary is kept, lesson 1 is left out"
    )
    parser.add_argument("--vocabulary", type=int, default=6000)
    parser.add_argument("--review-steps", type=int, default=900)
    parser.add_argument("--playbook-steps", type=int, default=900)
    parser.add_argument("--pair-steps", type=int, default=400)
    options = parser.parse_args(arguments)

    torch.manual_seed(SEED)
    rng, started = random.Random(SEED), time.time()
    pairs = {row["text"]: row for row in read_pairs(options.data) if split_of(row["text"]) != "test"}
    reviews = [text for rows in read_reviews(options.data).values() for text, _, source in rows if source != "umsab"]
    reviews = [text for text in reviews if split_of(text) != "test" and 40 < len(text) < 3000]
    unhappy = unhappy_reviews(options.data, list(pairs.values()))
    if options.init:
        tokenizer = AutoTokenizer.from_pretrained(options.init)
        network = PhiForCausalLM.from_pretrained(options.init, dtype=torch.float32)
    else:
        tokenizer = build_tokenizer([*reviews, *(row["answer"] for row in pairs.values())], options.vocabulary)
        network = PhiForCausalLM(
            PhiConfig(
                vocab_size=options.vocabulary,
                max_position_embeddings=CONTEXT,
                tie_word_embeddings=True,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                **SIZE,
            )
        )
        documents = [tokenizer(text)["input_ids"] for text in reviews]
        blocks = packed(documents, 256, tokenizer.eos_token_id, rng)

        def review_batches() -> Iterator[Any]:
            while True:
                ids = torch.tensor([next(blocks) for _ in range(16)])
                yield ids, ids

        train(network, review_batches(), options.review_steps, 2e-3)

    with tempfile.TemporaryDirectory() as folder:
        rows: list[Any] = label(unhappy, Path(folder))  # rows of `unhappy`, with their completion
    playbook: dict[str, list[Any]] = {"train": [], "dev": []}
    mistral: dict[str, list[Any]] = {"train": [], "dev": []}
    for row in rows:
        split, wanted = split_of(row["text"]), request(row, PROMPT)
        playbook[split].append(as_example(wanted, row["completion"], tokenizer))
        if row["text"] in pairs:
            mistral[split].append(as_example(wanted, pairs[row["text"]]["answer"], tokenizer))
    pad = tokenizer.pad_token_id
    train(network, pair_batches(playbook["train"], 16, pad, rng), options.playbook_steps, 1e-3)
    both = (pair_batches(examples["train"], 16, pad, rng) for examples in (playbook, mistral))
    alternating = itertools.chain.from_iterable(zip(*both, strict=True))
    train(network, alternating, options.pair_steps, 5e-4, lambda: completion_loss(network, mistral["dev"], pad))

    figures = {
        "seed": SEED,
        "minutes": round((time.time() - started) / 60, 1),
        "parameters": sum(p.numel() for p in network.parameters()),
        "examples": {"playbook": len(playbook["train"]), "mistral": len(mistral["train"])},
        "completion_loss_dev": {
            "playbook": round(completion_loss(network, playbook["dev"], pad), 4),
            "mistral": round(completion_loss(network, mistral["dev"], pad), 4),
        },
    }
    network.to(torch.bfloat16).save_pretrained(options.out)
    tokenizer.save_pretrained(options.out)
    duplicates.save([*reviews, *(text for text, *_ in unhappy)], options.out)
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
