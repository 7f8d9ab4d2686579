"""Trains the embedded base student: a small PhiForCausalLM with a vocabulary of its own.

    python -m pipeline.training.embedded_student --data DATA --out pipeline/models/student

First it learns to write English like reviews do (`reviews/`, plain language modelling), then what feedback looks
like: the prompt `student.v1` followed by the Mistral-7B text of the original project's pairs (`seed/`), loss on the
completion and the stop token only. Reviews whose hash falls into the test split (`split_of`) are left out throughout.
`distill` later trains an adapter on top of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PhiConfig, PhiForCausalLM, PreTrainedTokenizerFast

from pipeline import sketch, themes
from pipeline.requests import request
from pipeline.text import repair
from pipeline.training.embedded_encoder import SEED, split_of
from pipeline.training.embedded_sentiment import read as read_reviews

CONTEXT = 512
SIZE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 8}
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


def as_example(row: dict[str, Any], tokenizer: PreTrainedTokenizerFast, aspects: Any) -> tuple[list[int], int]:
    """(token ids with the stop token, length of the prompt)."""
    found = dict.fromkeys(mention.aspect_id for mention in themes.find(row["text"], "en", aspects))
    about = [{"theme": theme, "sentiment": None} for theme in found]
    prompt = request({**row, "themes": about}, "student.v1", 900).prompt
    prompt_ids = tokenizer(prompt)["input_ids"]
    ids = prompt_ids + tokenizer(" " + row["answer"])["input_ids"] + [tokenizer.eos_token_id]
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
    network: PhiForCausalLM, batches: Iterator[tuple[torch.Tensor, torch.Tensor]], steps: int, rate: float
) -> None:
    """`steps` updates with AdamW, warm-up and cosine decay; labels of -100 carry no loss."""
    decayed = [p for p in network.parameters() if p.dim() >= 2]
    rest = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95))
    network.train()
    started, tokens = time.time(), 0
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
    return sum(losses) / len(losses)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=6000)
    parser.add_argument("--review-steps", type=int, default=900)
    parser.add_argument("--pair-steps", type=int, default=500)
    options = parser.parse_args(arguments)

    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    reviews = [text for rows in read_reviews(options.data).values() for text, _, source in rows if source != "umsab"]
    reviews = [text for text in reviews if split_of(text) != "test" and 40 < len(text) < 3000]
    pairs: dict[str, list[dict[str, Any]]] = {"train": [], "dev": [], "test": []}
    for row in read_pairs(options.data):
        pairs[split_of(row["text"])].append(row)
    tokenizer = build_tokenizer(reviews + [row["answer"] for row in pairs["train"]], options.vocabulary)
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
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{parameters / 1e6:.1f}M parameters, {len(reviews)} reviews, {len(pairs['train'])} pairs", file=sys.stderr)

    started = time.time()
    documents = [tokenizer(text)["input_ids"] for text in reviews]
    blocks = packed(documents, 256, tokenizer.eos_token_id, rng)

    def review_batches() -> Iterator[Any]:
        while True:
            ids = torch.tensor([next(blocks) for _ in range(16)])
            yield ids, ids

    train(network, review_batches(), options.review_steps, 2e-3)
    aspects = themes.load_aspects()
    examples = {split: [as_example(row, tokenizer, aspects) for row in rows] for split, rows in pairs.items()}
    train(network, pair_batches(examples["train"], 16, tokenizer.pad_token_id, rng), options.pair_steps, 1e-3)

    figures = {
        "seed": SEED,
        "minutes": round((time.time() - started) / 60, 1),
        "parameters": parameters,
        "pairs": {split: len(rows) for split, rows in pairs.items()},
        "completion_loss": {
            split: round(completion_loss(network, examples[split], tokenizer.pad_token_id), 4)
            for split in ("dev", "test")
        },
    }
    network.to(torch.bfloat16).save_pretrained(options.out)
    tokenizer.save_pretrained(options.out)
    sketch.save([*reviews, *(row["text"] for split in ("train", "dev") for row in pairs[split])], options.out)
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
