"""The reader: everything that it says, beside one plain pass of its encoder over the same words, beside what two calls of
transformers' `pipeline` take (sentiment and emotions are the least that one asks for), and as a share of what the processor can
multiply at most.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.bench.ceilings import matrix_peak
from pipeline.bench.measure import Measured, Sizes, medians, sample, speedup, take_turns
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.reader.encoder import Encoder

_PLAIN = "a plain pass, 32 texts of similar length at a time"
_BATCHES = {1: 10, 32: 6}  # texts at a time in `pipeline` -> the bar
_SHARE = 60  # percent
_SHORT = (
    "most of the time are matrix products, two passes against one: more needs a processor that multiplies bfloat16 or int8 "
    "several times as fast as float32 (AMX), or a GPU"
)


def run(sizes: Sizes) -> list[Measured]:
    """All of these, for float32, and for bfloat16 where the processor multiplies it."""
    texts = [row["review"] for row in sample()]
    result = reading(texts[: sizes.limit or None], sizes.rounds)
    found = [Measured("read", f"all answers beside {_PLAIN}", result["ratios"][_PLAIN], bar=1.5, at_least=False)]
    for precision, ratios in result["beside_pipelines"].items():
        for name, ratio in ratios.items():
            bar = _BATCHES[int(name.rpartition(" ")[2])]
            found.append(Measured("read", f"{precision}, beside {name}", ratio, bar=bar, why=_SHORT, details=result))
    for precision, share in result["share_of_peak"].items():
        why = "what is left is tokenising, the heads, and cutting sentences into pieces"
        found.append(
            Measured("read", f"{precision}, share of the matrix peak", share, "%", _SHARE, why=why, details=result)
        )
    return found


def reading(texts: Sequence[str], rounds: int = 3) -> dict[str, Any]:
    """Keys of the result: texts (distinct ones), rounds, texts_per_second (per method), ratios (how many times as long all
    answers in float32 take as a plain pass), beside_pipelines (per precision and call, how many times as fast), share_of_peak
    (per precision, percent of the matrix peak). Raises InputError without a text or a round.
    """
    import torch

    from pipeline.reader import reading as reader_module
    from pipeline.reader.minilm import bf16_is_fast

    unique = list(dict.fromkeys(texts))
    if not unique or rounds < 1:
        raise InputError("The reading benchmark needs a text and a round. Give a larger limit or file.")
    precisions = {"float32": "fp32"} | ({"bfloat16": "bf16"} if bf16_is_fast() else {})
    readers = {name: reader_module.load(precision=name) for name in precisions}
    encoder = readers["float32"].encoder
    methods: dict[str, Callable[[], Any]] = {name: functools.partial(one.read, unique) for name, one in readers.items()}
    methods[_PLAIN] = functools.partial(_plain, encoder, sorted(unique, key=len))
    calls = {f"two pipelines of batches of {size}": _pipelines(encoder, unique, size) for size in _BATCHES}
    for reader in readers.values():
        reader.read(unique[:1])
    with torch.inference_mode():
        seconds = take_turns(methods | calls, rounds)
    work = _operations(encoder, unique)
    return {
        "texts": len(unique),
        "rounds": rounds,
        "texts_per_second": {name: len(unique) / value for name, value in medians(seconds).items()},
        "ratios": {_PLAIN: speedup(seconds["float32"], seconds[_PLAIN])},
        "beside_pipelines": {
            precision: {name: speedup(seconds[name], seconds[precision]) for name in calls} for precision in precisions
        },
        "share_of_peak": {
            name: 100 * work / medians(seconds)[name] / 1e9 / matrix_peak(kind) for name, kind in precisions.items()
        },
    }


def _plain(encoder: Encoder, texts: Sequence[str]) -> None:
    ids = [encoder.wrap(ids[: encoder.room]) for ids, _ in encoder.tokenize(texts)]
    for start in range(0, len(ids), 32):
        encoder.hidden(ids[start : start + 32])


def text_classification(encoder: Encoder) -> Callable[..., Any]:
    """A `pipeline` of transformers, in float32, on a network of the encoder's size; its tokenizer."""
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast, pipeline

    from pipeline.reader.encoder import MAX_TOKENS

    pad = encoder.tokenizer.id_to_token(encoder.pad_id)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=encoder.tokenizer, pad_token=pad, model_max_length=MAX_TOKENS - 2
    )
    model = AutoModelForSequenceClassification.from_config(encoder.network.config).eval()
    return functools.partial(
        pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu"), truncation=True
    )


def _pipelines(encoder: Encoder, texts: Sequence[str], size: int) -> Callable[[], None]:
    """Two text classifications by transformers, in the order of the texts."""
    classify = text_classification(encoder)

    def both() -> None:
        for _ in range(2):
            classify(list(texts), batch_size=size)

    return both


def _operations(encoder: Encoder, texts: Sequence[str]) -> int:
    """Multiplications and additions of one pass over the tokens of the texts, padding left out."""
    config = encoder.network.config
    width, inner = config.hidden_size, config.intermediate_size
    lengths = [min(len(ids), encoder.room) for ids, _ in encoder.tokenize(texts)]
    per_token = 2 * (4 * width * width + 2 * width * inner)
    return int(config.num_hidden_layers * sum(n * per_token + 4 * n * n * width for n in lengths))
