"""BLEURT: parity with bleurt-pytorch where its scores are at hand, with transformers' own classifiers elsewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.metrics import bleurt

ROUNDING = 3e-4  # of float32 through these layers; ten times what noise of eight units in the last place per layer does

REFERENCES = [
    "Train the evening staff to confirm every order.",
    "",
    "Offer a refund.",
    "The parcel arrived crushed, so replace it and pay for the return as well, today if it can be done.",
    "short",
]
CANDIDATES = [
    "Confirm every order.",
    "Call the guest back.",
    "",
    "Replace the parcel, refund the guest, and explain the delay before anyone has to ask for it again.",
    "A candidate far longer than its reference, which alone has to give up whatever does not fit the window.",
]


@pytest.mark.parametrize("layout", ["bert-layout", "rembert-layout"])
def test_equals_bleurt_pytorch(shared_data: Path, layout: str) -> None:
    expected = json.loads((shared_data / "bleurt" / "expected.json").read_text())
    scores = next(values for name, values in expected["scores"].items() if name.startswith(layout))
    got = bleurt.score(expected["candidates"], expected["references"], str(shared_data / "bleurt" / layout))
    assert "" in expected["candidates"] and "" in expected["references"]
    assert got == pytest.approx(scores, abs=ROUNDING, rel=0)


def test_counts_what_the_window_cuts(shared_data: Path) -> None:
    expected = json.loads((shared_data / "bleurt" / "expected.json").read_text())
    pairs = expected["candidates"], expected["references"]
    assert sum(bleurt.truncated(*pairs, str(shared_data / "bleurt" / "bert-layout"))) == 20
    assert sum(bleurt.truncated(*pairs, str(shared_data / "bleurt" / "rembert-layout"))) == 0


def test_bert_layout_equals_transformers(bleurt_bert: tuple[Path, Any]) -> None:
    from transformers import BertTokenizer

    folder, model = bleurt_bert
    tokenizer = BertTokenizer.from_pretrained(folder)
    expected = []
    for reference, candidate in zip(REFERENCES, CANDIDATES, strict=True):
        inputs = tokenizer([reference], [candidate], truncation="longest_first", max_length=24, return_tensors="pt")
        with torch.no_grad():
            expected.append(model(**inputs).logits.item())
    assert bleurt.score(CANDIDATES, REFERENCES, str(folder), batch_size=2) == pytest.approx(
        expected, abs=ROUNDING, rel=0
    )
    assert len(set(expected)) == len(expected)


def test_rembert_layout_equals_transformers(bleurt_rembert: tuple[Path, Any]) -> None:
    from sentencepiece import SentencePieceProcessor

    folder, model = bleurt_rembert
    pieces = SentencePieceProcessor(model_file=str(folder / "spm.model"))
    expected = []
    for reference, candidate in zip(REFERENCES, CANDIDATES, strict=True):
        first, second = pieces.encode(reference), pieces.encode(candidate)
        while len(first) + len(second) > 30:  # the loop of transformers' slow tokenizers
            (first if len(first) > len(second) else second).pop()
        ids = torch.tensor([[2, *first, 3, *second, 3]])
        types = torch.tensor([[0] * (len(first) + 2) + [1] * (len(second) + 1)])
        with torch.no_grad():
            expected.append(model(input_ids=ids, token_type_ids=types).logits.item())
    assert bleurt.score(CANDIDATES, REFERENCES, str(folder), batch_size=2) == pytest.approx(
        expected, abs=ROUNDING, rel=0
    )
    assert sum(bleurt.truncated(CANDIDATES, REFERENCES, str(folder))) == 3
    assert len(set(expected)) == len(expected)


def test_reference_and_candidate_are_not_interchangeable(bleurt_bert: tuple[Path, Any]) -> None:
    folder = str(bleurt_bert[0])
    assert bleurt.score(CANDIDATES[:1], REFERENCES[:1], folder) != bleurt.score(REFERENCES[:1], CANDIDATES[:1], folder)


@pytest.mark.parametrize("layout", ["bleurt_bert", "bleurt_rembert"])
def test_a_candidate_cannot_spell_special_tokens(layout: str, request: pytest.FixtureRequest) -> None:
    folder, _ = request.getfixturevalue(layout)
    tokenizer = bleurt.load(str(folder)).tokenizer
    [(_, candidate)] = tokenizer.pairs(["a [SEP] b [CLS]"], [""])
    assert candidate and not {tokenizer.sep_id, tokenizer.cls_id} & set(candidate)


def test_the_window_of_a_published_name(bleurt_bert: tuple[Path, Any], tmp_path: Path) -> None:
    """bleurt-base-128 has 512 positions and reads 128 tokens."""
    folder = tmp_path / "bleurt-base-128"
    shutil.copytree(bleurt_bert[0], folder)
    config = json.loads((folder / "config.json").read_text())
    text = "the " * 100
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 512}))
    assert sum(bleurt.truncated([text, "the"], [text, "the"], str(folder))) == 1


def test_pickled_weights_are_refused(bleurt_bert: tuple[Path, Any], tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(bleurt_bert[0], folder)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled weights are not read"):
        bleurt.load(str(folder))


def test_refuses_another_model(bleurt_bert: tuple[Path, Any], tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(bleurt_bert[0], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match="not a BLEURT checkpoint"):
        bleurt.load(str(folder))


def test_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        bleurt.load(str(tmp_path))


def test_refuses_shifted_pairs() -> None:
    with pytest.raises(InputError, match="2 candidates for 1 references"):
        bleurt.score(["a", "b"], ["a"])
    with pytest.raises(InputError, match="one string"):
        bleurt.score("a", "a")
    with pytest.raises(InputError, match=r"candidates\[1\] is NoneType"):
        bleurt.score(["a", None], ["a", "b"])  # type: ignore[list-item]


def test_no_pairs_load_no_model() -> None:
    assert bleurt.score([], [], "no-such-model") == []
    assert bleurt.truncated([], [], "no-such-model") == []
