"""The phases in which the base student is trained, each starting from the weights of the one before.

1. The English of reviews: plain language modelling on the texts of `reviews/`.
2. Feedback from findings: the prompt `student.v3` (stars, emotions, complaints, problems of the library, a few words of each)
   and the playbook's text with markers for its quotes, for reviews and for made-up ones of the library's own sentences, so
   that every problem is met; loss on the text and its stop token only.
3. The manner of a large model: the Mistral-7B texts of the original project's pairs (`seed/`) and our own
   (`labels/advice.jsonl`), in turn with the playbook's. The weights with the least loss on held-out texts are kept.
"""

from __future__ import annotations

import itertools
import json
import random
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PhiForCausalLM, PreTrainedTokenizerFast

from pipeline.advice.request import request
from pipeline.text import duplicates
from pipeline.training.fit import SEED, split_of
from pipeline.training.student import network as nets
from pipeline.training.student import texts

PROMPT = "student.v3"
BATCH = 16

Split = dict[str, list[nets.Example]]  # train and dev


def train(
    data: Path,
    out: Path,
    *,
    init: Path | None = None,
    vocabulary: int = 6000,
    review_steps: int = 900,
    playbook_steps: int = 1500,
    pair_steps: int = 450,
) -> dict[str, Any]:
    """Writes the model to `out` and returns its figures. `init`: a student to continue from; its vocabulary is kept and
    the first phase skipped. `vocabulary`: tokens. `*_steps`: updates in each phase.
    """
    torch.manual_seed(SEED)
    rng, started = random.Random(SEED), time.time()
    reviews, written = texts.review_texts(data), texts.written(data)
    unhappy = texts.unhappy_reviews(data, written)
    if init:
        tokenizer = AutoTokenizer.from_pretrained(init, trust_remote_code=False)
        network = PhiForCausalLM.from_pretrained(init, dtype=torch.float32)
    else:
        answers = [one.answer for ones in written.values() for one in ones.values()]
        tokenizer = nets.build_tokenizer([*reviews, *answers], vocabulary)
        network = nets.untrained(tokenizer, vocabulary)
        nets.optimize(network, nets.review_batches(reviews, tokenizer, rng), review_steps, 2e-3)

    examples, pad = feedback_examples(unhappy, written, tokenizer), tokenizer.pad_token_id
    playbook = nets.pair_batches(examples["playbook"]["train"], BATCH, pad, rng)
    nets.optimize(network, playbook, playbook_steps, 1e-3)
    each = [nets.pair_batches(examples[name]["train"], BATCH, pad, rng) for name in examples]
    in_turn = itertools.chain.from_iterable(zip(*each, strict=True))
    held_out = [example for name in written for example in examples[name]["dev"]]
    nets.optimize(network, in_turn, pair_steps, 5e-4, lambda: nets.completion_loss(network, held_out, pad))

    report = {
        "seed": SEED,
        "minutes": round((time.time() - started) / 60, 1),
        "parameters": sum(p.numel() for p in network.parameters()),
        "examples": {name: len(split["train"]) for name, split in examples.items()},
        "completion_loss_dev": {
            name: round(nets.completion_loss(network, split["dev"], pad), 4) for name, split in examples.items()
        },
    }
    network.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    duplicates.save([*reviews, *(text for text, *_ in unhappy)], out)
    (out / "figures.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def feedback_examples(
    unhappy: list[texts.Unhappy], written: Mapping[str, texts.Written], tokenizer: PreTrainedTokenizerFast
) -> dict[str, Split]:
    """By writer: the playbook, and those of `written` about reviews of `unhappy`."""
    found: dict[str, Split] = {name: {"train": [], "dev": []} for name in ("playbook", *written)}

    def add(writer: str, row: Any, answer: str) -> None:
        found[writer][split_of(row["text"])].append(nets.as_example(request(row, PROMPT), answer, tokenizer))

    with tempfile.TemporaryDirectory() as folder:
        rows = texts.label(unhappy, Path(folder))
    for row in rows:
        add("playbook", row, row["completion"])
        for writer, ones in written.items():
            if row["text"] in ones:
                add(writer, *texts.on_findings(row, ones[row["text"]]))
    for row in texts.of_the_library():
        add("playbook", row, row["completion"])
    return found
