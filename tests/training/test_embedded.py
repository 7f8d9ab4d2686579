"""How the BLEURT stand-in and the student are trained: the parts on numbers one can check, the loop on a toy."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import PhiConfig, PhiForCausalLM

from pipeline.advice.problems import load_problems
from pipeline.advice.request import request
from pipeline.backends.base import Request
from pipeline.core.assets import MODELS
from pipeline.reader import lora, minilm
from pipeline.training import bleurt, fit
from pipeline.training.reader import corpora
from pipeline.training.student import network as nets
from pipeline.training.student import texts


def test_the_loop_learns_and_what_is_saved_is_what_was_learnt(tmp_path: Path) -> None:
    torch.manual_seed(0)
    said = [
        f"{word} {noun}" for noun in ("soup", "room", "phone", "staff") for word in ("lovely", "awful", "great", "bad")
    ]
    truth = torch.tensor([n % 2 for n in range(len(said))]).float()
    model = fit.Classifier(1, rank=4, dropout=0.0)
    tokens = minilm.tokenize(model.tokenizer, said)

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
    tokenizer = nets.build_tokenizer(["Cold soup. Feedback: Serve it hot."] * 50, 300)
    wanted = Request("2 stars. Feedback:", {}, {"[1]": ("“Cold soup”",)})
    ids, prompt = nets.as_example(wanted, "They say “Cold soup”: serve it hot.", tokenizer)
    assert tokenizer.decode(ids[:prompt]) == wanted.prompt
    assert tokenizer.decode(ids[prompt:]) == " They say [1]: serve it hot.<|endoftext|>"
    batch, labels = next(nets.pair_batches([(ids, prompt)] * 2, 2, tokenizer.pad_token_id, random.Random(0)))
    assert batch.shape == labels.shape and (labels[:, :prompt] == -100).all() and (labels[:, prompt:] != -100).all()


def test_the_best_weights_of_a_phase_are_kept() -> None:
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    network = PhiForCausalLM(PhiConfig(vocab_size=16, **size))
    seen: list[float] = []

    def dev_loss() -> float:
        seen.append(network.lm_head.bias[3].item())
        return [2.0, 1.0, 3.0][len(seen) - 1]

    ids = torch.full((2, 4), 3)
    nets.optimize(network, iter([(ids, ids)] * 150), 150, 1e-2, dev_loss)
    assert len(seen) == 3 and network.lm_head.bias[3].item() == seen[1] != seen[2]


def test_the_playbook_labels_reviews_by_the_pipeline_itself(tmp_path: Path) -> None:
    reviews = [("We waited an hour for cold soup.", 1.0, "Blue Cafe"), ("The zipper broke on the first day.", 2.0, "")]
    rows = {row["text"]: row for row in texts.label(reviews, tmp_path)}
    waited = rows["We waited an hour for cold soup."]
    assert "waiting_time" in {theme["theme"] for theme in waited["themes"]} and waited["business"] == "Blue Cafe"
    assert "“We waited an hour for cold soup”" in waited["completion"] and len(rows) == 2


def test_our_texts_about_reviews_stand_on_the_problems_that_they_were_written_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora, "LABELS", tmp_path)
    text = "Bread was fine. The soup was cold. Cold soup again! We waited an hour."
    (tmp_path / "inn.csv").write_text(f"text,stars\n{text},2\n")
    row = {
        "file": "inn.csv",
        "row": 1,
        "sha256": hashlib.sha256(text.encode()).hexdigest()[:16],
        "sentences": [3, 1, 2],
        "problems": [["kitchen_slow"], ["food_cold"], ["food_cold"]],
        "text": "An hour passed [1], and the soup was cold [2] [3].\n\n1. Warm the bowls.",
    }
    (tmp_path / "advice.jsonl").write_text(json.dumps(row) + "\n")
    (one,) = texts.read_ours(tmp_path).values()
    assert one.stars == 2 and one.quoted[1] == ("The soup was cold.", ("food_cold",))
    review: dict[str, Any] = {
        "text": text,
        "stars": 2.0,
        "emotions": [],
        "business": None,
        "themes": [],
        "language": "en",
    }
    changed, answer = texts.on_findings(review, one)
    wanted = request(cast(Any, changed), "student.v3")
    order = [wanted.slots[f"[{n}]"][0] for n in (1, 2)]
    slow, cold = (order.index(words) + 1 for words in ("“We waited an hour”", "“The soup was cold”"))
    assert answer == f"An hour passed [{slow}], and the soup was cold [{cold}].\n\n1. Warm the bowls."
    assert texts.on_findings(review, texts.Answer(2.0, "As [1] is.")) == (review, "As [1] is."), "it has no markers"


@pytest.mark.slow
def test_made_up_reviews_meet_every_problem() -> None:
    rows = list(texts.of_the_library(5 * len(load_problems())))
    assert {theme["problem"] for row in rows for theme in row["themes"]} == {problem.id for problem in load_problems()}
    assert all(theme["evidence"] in row["text"] for row in rows for theme in row["themes"])
    assert all("What to do:" in row["completion"] for row in rows)


def test_the_shipped_models_have_cards_and_fit_the_budget() -> None:
    folders = [folder for folder in sorted(MODELS.iterdir()) if folder.is_dir()]
    assert {folder.name for folder in folders} == {"bleurt", "reader", "student"}
    weights = [file for folder in folders for file in folder.rglob("*.safetensors")]
    assert sum(file.stat().st_size for file in weights) <= 90e6
    for folder in folders:
        card = (folder / "README.md").read_text()
        assert all(word in card for word in ("**Data", "**Command**", "**Seed**", "**Limits.**")), folder.name
    assert not [file for folder in folders for file in folder.rglob("*.bin")]
