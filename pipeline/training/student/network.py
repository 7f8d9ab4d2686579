"""The student's tokenizer and network, and the loop that trains them."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PhiConfig, PhiForCausalLM, PreTrainedTokenizerFast

from pipeline.advice import markers
from pipeline.backends.base import Request

logger = logging.getLogger(__name__)

CONTEXT = 512
SIZE = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 8}

Example = tuple[list[int], int]  # token ids of prompt and answer, length of the prompt
Batch = tuple[torch.Tensor, torch.Tensor]  # token ids and labels, both of shape (rows, tokens)


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


def as_example(prompt: Request, answer: str, tokenizer: PreTrainedTokenizerFast) -> Example:
    """Token ids of the prompt and of the answer, with markers, and the stop token; cut to CONTEXT."""
    prompt_ids = tokenizer(prompt.prompt)["input_ids"]
    ids = (
        prompt_ids + tokenizer(" " + markers.delexicalise(answer, prompt.slots))["input_ids"] + [tokenizer.eos_token_id]
    )
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
