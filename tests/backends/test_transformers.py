from __future__ import annotations

import itertools
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.backends.base import Request
from pipeline.backends.cleaning import ONLY_THOUGHT
from pipeline.backends.transformers import TransformersClassifier, TransformersGenerator, load_causal_lm
from pipeline.core.assets import STUDENT
from pipeline.core.errors import InputError
from tests.checkpoints import Checkpoints

TEXTS = ["The soup was cold and the waiter rude.", "Lovely!", "word " * 400, ""]


def asked(*prompts: str) -> list[Request]:
    return [Request(prompt, {}) for prompt in prompts]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_roberta_gives_probabilities_for_texts_of_any_length(tiny: Checkpoints, activation: str) -> None:
    classifier = TransformersClassifier(tiny.roberta_emotions, "main", activation)  # type: ignore[arg-type]
    values = classifier.probabilities(TEXTS)
    assert values.shape == (4, 28) and classifier.labels[0] == "admiration"
    assert ((values >= 0) & (values <= 1)).all()
    if activation == "softmax":
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(values[0], values[1])


def test_batches_do_not_change_a_text_s_probabilities(tiny: Checkpoints) -> None:
    """Padding must not leak in: GPT-2 has no pad token and reads its last real token."""
    for path in (tiny.gpt2_sentiment, tiny.roberta_emotions):
        together = TransformersClassifier(path, "main", "softmax").probabilities(TEXTS[:3])
        alone = TransformersClassifier(path, "main", "softmax", batch_size=1).probabilities(TEXTS[:3])
        np.testing.assert_allclose(together, alone, atol=1e-5)


def test_generator_uses_the_chat_template_and_never_returns_the_prompt(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.mistral, "main", quantize="none", max_new_tokens=8)
    prompt = "How can we best improve our services?"
    shown = generator.tokenizer.decode(generator.prompting.ids(prompt))
    assert shown == f"[INST] {prompt} [/INST]"
    written = generator.write(asked(prompt, prompt + " Please answer at length, this prompt is longer."))
    assert len(written) == 2
    assert all(prompt not in answer.raw for answer in written)


def test_on_text_is_called_with_the_text_as_it_grows(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.phi, "main", quantize="none", max_new_tokens=6)
    texts: dict[str, list[str]] = {"Soup": [], "A longer prompt about soup": []}
    requests = [replace(request, on_text=texts[request.prompt].append) for request in asked(*texts)]
    written = generator.write([*requests, *asked("No callback")])
    assert written == generator.write(asked(*texts, "No callback")), "callbacks change nothing"
    for answer, growing in zip(written, texts.values(), strict=False):
        assert growing[-1] == answer.text and len(growing) > 1
        assert all(len(before) <= len(after) for before, after in itertools.pairwise(growing))


def test_thinking_is_neither_shown_nor_kept_though_the_template_opens_it(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.mistral, "main", quantize="none", max_new_tokens=4)
    assert not generator.opens_thinking
    generator.opens_thinking = True
    growing: list[str] = []
    (written,) = generator.write([replace(request, on_text=growing.append) for request in asked("Soup")])
    assert written.raw and (written.text, written.error) == ("", ONLY_THOUGHT) and set(growing) == {""}


def test_an_output_cut_by_the_token_limit_is_marked_and_one_that_ends_is_not(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.phi, "main", quantize="none", max_new_tokens=4)
    end = generator.tokenizer.eos_token_id
    assert generator._written([5, 6, 7, 8]).truncated
    finished = generator._written([5, 6, end, generator.tokenizer.pad_token_id])
    assert not finished.truncated and finished.text == generator.tokenizer.decode([5, 6]).strip()
    assert generator._written([end]).error == "the model wrote nothing"


def test_sampling_is_seeded_and_greedy_is_default(tiny: Checkpoints) -> None:
    options = {"quantize": "none", "max_new_tokens": 12, "temperature": 1.0, "top_p": 0.9}
    one = TransformersGenerator(tiny.phi, "main", seed=1, **options).write(asked("Soup"))  # type: ignore[arg-type]
    same = TransformersGenerator(tiny.phi, "main", seed=1, **options).write(asked("Soup"))  # type: ignore[arg-type]
    other = TransformersGenerator(tiny.phi, "main", seed=2, **options).write(asked("Soup"))  # type: ignore[arg-type]
    assert one == same != other


def test_a_penalty_on_what_was_said_ends_loops(tiny: Checkpoints) -> None:
    def distinct(penalty: float) -> float:
        generator = TransformersGenerator(
            tiny.phi, "main", quantize="none", max_new_tokens=24, repetition_penalty=penalty
        )
        ids = generator.tokenizer(generator.write(asked("Soup"))[0].raw)["input_ids"]
        return len(set(ids)) / len(ids)

    assert distinct(20.0) > distinct(1.0)


def test_a_prompt_that_does_not_fit_is_a_row_with_an_error(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.phi, "main", quantize="none", max_new_tokens=4)
    short, long = generator.write(asked("Soup", "soup " * 3000))
    assert short.error is None or short.error == "the model wrote nothing"
    assert long.error is not None and "room" in long.error


def test_the_pad_token_is_never_the_stop_token(tiny: Checkpoints) -> None:
    for path in (tiny.phi, tiny.mistral):
        network, tokenizer = load_causal_lm(path, "main", "none")
        assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
        assert tokenizer.pad_token_id < network.get_input_embeddings().num_embeddings
        assert tokenizer.padding_side == "left"


def test_nf4_loads_and_generates_on_cpu(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.phi, "main", quantize="nf4", max_new_tokens=4)
    kinds = {type(module).__name__ for module in generator.network.modules()}
    assert "Linear4bit" in kinds
    assert len(generator.write(asked("Soup", "Cold soup"))) == 2


def test_pickled_weights_are_refused(tiny: Checkpoints, tmp_path: Path) -> None:
    for file in Path(tiny.roberta_emotions).iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="could not be loaded"):
        TransformersClassifier(str(tmp_path), "main", "softmax")


def test_code_from_a_checkpoint_is_never_run(tiny: Checkpoints, tmp_path: Path) -> None:
    for file in Path(tiny.roberta_emotions).iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(InputError):
        TransformersClassifier(str(tmp_path), "main", "softmax")
    assert not (tmp_path / "ran").exists()


def test_a_model_that_is_not_there_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match="could not be loaded") as caught:
        TransformersClassifier(str(tmp_path / "nowhere"), "main", "softmax")
    assert "\n" not in str(caught.value)


def test_tokens_are_counted_up_to_the_end_of_the_answer(tiny: Checkpoints) -> None:
    generator = TransformersGenerator(tiny.phi, "main", quantize="none", max_new_tokens=6)
    prompts = ["Soup.", "A longer prompt about soup and bread."]
    for prompt, answer in zip(prompts, generator.write(asked(*prompts)), strict=True):
        assert answer.usage[0] == len(generator.prompting.ids(prompt)), "without the padding of its batch"
        assert answer.usage[1] == 6 if answer.truncated else answer.usage[1] < 6
    end = generator.tokenizer.eos_token_id
    assert [generator._length(row) for row in ([5, end, 5], [5, 5, 5], [end])] == [1, 3, 0]


def test_truncated_weights_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(STUDENT, folder)
    os.truncate(folder / "model.safetensors", 100_000)
    with pytest.raises(InputError, match=r"Model '.*mine'.* could not be loaded: .*download or train again"):
        load_causal_lm(str(folder), "main", "none")
