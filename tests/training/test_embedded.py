"""How the BLEURT stand-in and the student are trained: the parts on numbers one can check, the loop on a toy."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PhiConfig, PhiForCausalLM

from pipeline.backends.base import Request
from pipeline.core.assets import MODELS
from pipeline.reader import lora, minilm
from pipeline.training import bleurt, fit, student


def test_the_loop_learns_and_what_is_saved_is_what_was_learnt(tmp_path: Path) -> None:
    torch.manual_seed(0)
    texts = [
        f"{word} {noun}" for noun in ("soup", "room", "phone", "staff") for word in ("lovely", "awful", "great", "bad")
    ]
    truth = torch.tensor([n % 2 for n in range(len(texts))]).float()
    model = fit.Classifier(1, rank=4, dropout=0.0)
    tokens = minilm.tokenize(model.tokenizer, texts)

    def loss_of(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], truth[batch])

    def dev_score() -> float:
        return float(((model.predict(tokens)[:, 0] > 0) == (truth.numpy() > 0)).mean())

    fit.fit(model, tokens, loss_of, dev_score, epochs=8, batch_size=8, rate=2e-3)
    assert dev_score() == 1.0
    lora.save(model.encoder, model.head, {"figures": {}}, tmp_path)
    again = lora.load_head(tmp_path)
    assert again.logits(tokens)[:, 0] == pytest.approx(model.predict(tokens)[:, 0], abs=0.15), "bfloat16"
    assert not (tmp_path / "README.md").exists() and "/" not in str(again.config)
    going_on = fit.Classifier(1, init=tmp_path)
    assert going_on.predict(tokens)[:, 0] == pytest.approx(again.logits(tokens)[:, 0], abs=1e-3), "head and adapter"


def test_agreement_with_bleurt() -> None:
    values = ((0.1, "base"), (0.2, "base"), (0.5, "tuned"), (0.9, "tuned"))
    pairs = [bleurt.Pair("c", "r", value, name) for value, name in values]
    reached = bleurt.figures(np.array([0.1, 0.2, 0.5, 0.9]), pairs)
    assert (reached["pearson"], reached["pearson_tuned"], reached["mean_absolute_error"]) == (1.0, 1.0, 0.0)


def test_the_student_learns_the_answer_not_the_prompt() -> None:
    tokenizer = student.build_tokenizer(["Cold soup. Feedback: Serve it hot."] * 50, 300)
    wanted = Request("2 stars. Feedback:", {}, {"[1]": ("“Cold soup”",)})
    ids, prompt = student.as_example(wanted, "They say “Cold soup”: serve it hot.", tokenizer)
    assert tokenizer.decode(ids[:prompt]) == wanted.prompt
    assert tokenizer.decode(ids[prompt:]) == " They say [1]: serve it hot.<|endoftext|>"
    batch, labels = next(student.pair_batches([(ids, prompt)] * 2, 2, tokenizer.pad_token_id, random.Random(0)))
    assert batch.shape == labels.shape and (labels[:, :prompt] == -100).all() and (labels[:, prompt:] != -100).all()


def test_the_best_weights_of_a_phase_are_kept() -> None:
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    network = PhiForCausalLM(PhiConfig(vocab_size=16, **size))
    seen: list[float] = []

    def dev_loss() -> float:
        seen.append(network.lm_head.bias[3].item())
        return [2.0, 1.0, 3.0][len(seen) - 1]

    ids = torch.full((2, 4), 3)
    student.optimize(network, iter([(ids, ids)] * 150), 150, 1e-2, dev_loss)
    assert len(seen) == 3 and network.lm_head.bias[3].item() == seen[1] != seen[2]


def test_the_playbook_labels_reviews_by_the_pipeline_itself(tmp_path: Path) -> None:
    reviews = [("We waited an hour for cold soup.", 1.0, "Blue Cafe"), ("The zipper broke on the first day.", 2.0, "")]
    rows = {row["text"]: row for row in student.label(reviews, tmp_path)}
    waited = rows["We waited an hour for cold soup."]
    assert "waiting_time" in {theme["theme"] for theme in waited["themes"]} and waited["business"] == "Blue Cafe"
    assert "“We waited an hour for cold soup”" in waited["completion"] and len(rows) == 2


def test_the_shipped_models_have_cards_and_fit_the_budget() -> None:
    folders = [folder for folder in sorted(MODELS.iterdir()) if folder.is_dir()]
    assert {folder.name for folder in folders} == {"bleurt", "reader", "student"}
    weights = [file for folder in folders for file in folder.rglob("*.safetensors")]
    assert sum(file.stat().st_size for file in weights) <= 90e6
    for folder in folders:
        card = (folder / "README.md").read_text()
        assert all(word in card for word in ("**Data", "**Command**", "**Seed**", "**Limits.**")), folder.name
    assert not [file for folder in folders for file in folder.rglob("*.bin")]
