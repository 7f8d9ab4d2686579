"""The scores of candidates, beside bert-score, BLEURT and NLTK called plainly.

It runs on texts made from the sample, since it is about time: the playbook's advice is the reference of a review, and each has
five candidates, as in the stage `score`: a student's two (the reference with its lines in another order), and the controls.
BERTScore runs on the shipped MiniLM. No published BLEURT is shipped, so BLEURT runs on a checkpoint of its layout with MiniLM's
weights and a head that says nothing. Models are loaded before the clock starts, although `bert_score.score` loads at each call.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.bench import meteor as meteor_bench
from pipeline.bench.measure import Measured, Sizes, medians, speedup, take_turns
from pipeline.core.errors import InputError

TOLERANCE = 1e-4
_BAR = 4
_WHY = (
    "BLEURT reads every pair, in float32: only padding and the size of batches can be saved. bfloat16 or int8 would lift it, "
    "at values that differ by more than 1e-4"
)
_BATCH = 16  # of plain BLEURT
_WINDOW = 512  # to which BLEURT's own code pads every pair
_SHARE = 25  # so many fewer reviews than the limit says, which counts texts for cheaper parts

Pairs = list[tuple[str, str]]  # (candidate, reference)
Metric = Callable[[Sequence[str], Sequence[str]], Sequence[float]]


def run(sizes: Sizes) -> list[Measured]:
    """How many times as fast the three metrics are, together and each. Raises InputError for fewer than two reviews."""
    texts = _advice()[: 2 * max(2, sizes.limit // _SHARE) if sizes.limit else None]
    count = len(texts) // 2
    result = scores(candidates(texts[:count], texts[count : 2 * count]), sizes.rounds)
    if not result["equal"]:
        raise AssertionError(f"scores differ from the plain ones by {result['largest_difference']}")
    return [
        Measured(
            "score", f"beside plain calls, {name}", ratio, bar=_BAR if name == "all" else None, why=_WHY, details=result
        )
        for name, ratio in result["ratios"].items()
    ]


def _advice() -> list[str]:
    """Texts of the playbook, none of them twice."""
    return list(dict.fromkeys(text for text, _ in meteor_bench.sample_pairs()))


def candidates(references: Sequence[str], others: Sequence[str]) -> dict[str, Pairs]:
    """Role -> a candidate for each reference. `others`: what was written for other reviews, as many. Raises InputError for
    fewer than two.
    """
    from pipeline.stages.generate import CONSTANT

    if len(references) < 2 or len(references) != len(others):
        raise InputError("The score benchmark needs two reviews, and as many others. Give a larger limit.")
    texts = {
        "student_base": ["\n".join(sorted(text.splitlines())) for text in references],
        "student": ["\n".join(reversed(text.splitlines())) for text in references],
        "control_constant": [CONSTANT] * len(references),
        "control_nearest": others,
        "control_shuffled": [*references[1:], references[0]],
    }
    return {role: list(zip(written, references, strict=True)) for role, written in texts.items()}


def scores(roles: dict[str, Pairs], rounds: int = 3) -> dict[str, Any]:
    """Our three metrics over all candidates, review by review as the stage has them, beside plain calls for each role.

    Keys of the result: pairs, rounds, seconds (per method and metric: the median round), ratios (plain seconds over ours, per
    metric and for "all": the median of the rounds), largest_difference (per metric), equal (to TOLERANCE).
    """
    together = [pair for of_review in zip(*roles.values(), strict=True) for pair in of_review]
    found: dict[str, dict[tuple[str, str], float]] = {}
    methods: dict[str, Callable[[], None]] = {}

    def keep(name: str, pairs: Pairs, metric: Metric) -> None:
        values = metric([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        found.setdefault(name, {}).update(zip(pairs, values, strict=True))

    def plainly(name: str, metric: Metric) -> None:
        for pairs in roles.values():
            keep(name, pairs, metric)

    with tempfile.TemporaryDirectory() as folder, _plain_metrics(Path(folder)) as plain:
        for name, ours in _our_metrics(Path(folder)).items():
            for method, work in (
                (f"plain {name}", functools.partial(plainly, f"plain {name}", plain[name])),
                (name, functools.partial(keep, name, together, ours)),
            ):
                keep(method, together[:1], plain[name] if method != name else ours)  # loads the models
                methods[method] = work
        seconds = take_turns(methods, rounds)
    differences = {
        name: max(abs(value - found[f"plain {name}"][pair]) for pair, value in found[name].items()) for name in plain
    }
    in_all = {
        kind: [sum(values) for values in zip(*(seconds[kind + name] for name in plain), strict=True)]
        for kind in ("", "plain ")
    }
    return {
        "pairs": len(together),
        "rounds": rounds,
        "seconds": medians(seconds),
        "ratios": {"all": speedup(in_all["plain "], in_all[""])}
        | {name: speedup(seconds[f"plain {name}"], seconds[name]) for name in plain},
        "largest_difference": differences,
        "equal": max(differences.values()) <= TOLERANCE,
    }


def _our_metrics(folder: Path) -> dict[str, Metric]:
    from pipeline.metrics import bertscore, bleurt, meteor, wordnet

    wordnet.load()

    def of_new_texts(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        meteor_bench.forget()
        return meteor.score(candidates, references)

    return {
        "BERTScore": functools.partial(bertscore.score, model="minilm"),
        "BLEURT": functools.partial(bleurt.score, model=str(folder)),
        "METEOR": of_new_texts,
    }


@contextmanager
def _plain_metrics(folder: Path) -> Iterator[dict[str, Metric]]:
    """The metrics as their packages' documentation calls them; writes the BLEURT checkpoint into `folder`."""
    import bert_score

    from pipeline.metrics import bertscore
    from pipeline.reader import minilm

    _write_bleurt(folder)
    scorer = bert_score.BERTScorer(str(minilm.locate()), num_layers=bertscore.MINILM_LAYERS)
    with meteor_bench.plain_meteor() as (plain_meteor, _):
        yield {
            "BERTScore": lambda candidates, references: scorer.score(list(candidates), list(references))[2].tolist(),
            "BLEURT": _plain_bleurt(folder),
            "METEOR": lambda candidates, references: list(map(plain_meteor, candidates, references)),
        }


def _write_bleurt(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from pipeline.reader import minilm

    network, tokenizer = minilm.load()
    state = {f"bert.{name}": value for name, value in network.state_dict().items()}
    head = torch.linspace(-1, 1, minilm.DIMENSION).reshape(1, -1) / 10
    save_file(state | {"classifier.weight": head, "classifier.bias": torch.zeros(1)}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(network.config.to_dict()))
    tokenizer.save_pretrained(folder)
    shutil.copyfile(minilm.locate() / "vocab.txt", folder / "vocab.txt")


def _plain_bleurt(folder: Path) -> Metric:
    """Batches in the order of the file, each pair padded to the window."""
    import torch
    from transformers import AutoTokenizer

    from pipeline.metrics import bleurt

    module = bleurt.load(str(folder)).module
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)

    def score(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        values: list[float] = []
        for start in range(0, len(candidates), _BATCH):
            batch = slice(start, start + _BATCH)
            inputs = tokenizer(
                list(references[batch]),
                list(candidates[batch]),
                padding="max_length",
                truncation="longest_first",
                max_length=_WINDOW,
                return_tensors="pt",
            )
            with torch.inference_mode():
                values += module["classifier"](module["encoder"](**inputs).pooler_output)[:, 0].tolist()
        return values

    return score
