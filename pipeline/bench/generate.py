"""Texts by the shipped student, beside the original project's loop: five prompts at a time in file order, each batch until its
longest text is written. Greedy, and the texts are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.bench.measure import Measured, Sizes, medians, sample, speedup, take_turns
from pipeline.core.assets import STUDENT
from pipeline.core.errors import InputError

PLAIN = "batches of 5 in file order"
_BAR, _TEXTS, _ROUNDS = 2.5, 40, 2
_CHARACTERS = 500  # of a review, as in the embedded profile
_WHY = (
    "a model this small waits for memory, not for multiplications: the larger the batch, the more keys and values are read for "
    "each token. More threads, a processor with more memory bandwidth or a GPU would lift it"
)


def run(sizes: Sizes) -> list[Measured]:
    """How many times as fast, on the first prompts of the sample: at most 40, and at most two rounds."""
    prompts = _prompts(min(sizes.limit or _TEXTS, _TEXTS))
    result = generating(prompts, rounds=min(sizes.rounds, _ROUNDS))
    same = Measured("generate", "texts that are the same", result["same"], "%", bar=100, why="rounding", details=result)
    return [Measured("generate", PLAIN, result["ratio"], bar=_BAR, why=_WHY, details=result), same]


def generating(prompts: Sequence[str], max_new_tokens: int = 260, rounds: int = 3) -> dict[str, Any]:
    """Keys of the result: texts, tokens (written), rounds, tokens_per_second (per method), ratio (median over the rounds), same
    (percent of the texts). Raises InputError without a prompt or a round.
    """
    from pipeline.backends.base import Request
    from pipeline.backends.transformers import TransformersGenerator

    if not prompts or rounds < 1:
        raise InputError("The generation benchmark needs a text and a round. Give a larger limit.")
    writer = TransformersGenerator(
        str(STUDENT), "main", quantize="none", max_new_tokens=max_new_tokens, repetition_penalty=1.2
    )
    requests = [Request(prompt, {"text": ""}) for prompt in prompts]
    texts: dict[str, list[str]] = {}
    tokens: list[int] = []

    def ours() -> None:
        written = writer.write(requests)
        texts["ours"], tokens[:] = [one.raw for one in written], [one.usage[1] for one in written]

    def plain() -> None:
        texts[PLAIN] = _plain(writer, prompts)

    writer.write(requests[:1])
    seconds = take_turns({PLAIN: plain, "ours": ours}, rounds)
    same = sum(one == other for one, other in zip(texts["ours"], texts[PLAIN], strict=True))
    return {
        "texts": len(prompts),
        "tokens": sum(tokens),
        "rounds": rounds,
        "tokens_per_second": {name: sum(tokens) / value for name, value in medians(seconds).items()},
        "ratio": speedup(seconds[PLAIN], seconds["ours"]),
        "same": 100 * same / len(prompts),
    }


def _plain(writer: Any, prompts: Sequence[str]) -> list[str]:
    import torch

    texts = []
    for start in range(0, len(prompts), 5):
        inputs = writer.tokenizer(list(prompts[start : start + 5]), padding=True, return_tensors="pt")
        inputs = {name: inputs[name].to(writer.network.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            output = writer.network.generate(**inputs, **writer.options)
        texts += writer.tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return texts


def _prompts(count: int) -> list[str]:
    """As the student's, of the sample's first reviews, which are short and long as they come."""
    from pipeline.advice.request import request

    rows = sample()[:count]
    asked = [{"text": row["review"], "stars": float(row["rating"]) if row["rating"] else None} for row in rows]
    return [
        request({**row, "emotions": [], "themes": []}, "student.v1", _CHARACTERS).prompt  # type: ignore[typeddict-item]
        for row in asked
    ]
