"""How the shipped models are trained: the parts on numbers one can check, the loop on a toy."""

from __future__ import annotations

import math
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PhiConfig, PhiForCausalLM

from pipeline.backends.base import Request
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.reader import heads, minilm
from pipeline.training import bleurt, emotions, fit, sentiment, student


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
    heads.save(model.encoder, model.head, {"figures": {}}, tmp_path)
    again = heads.load_head(tmp_path)
    assert again.logits(tokens)[:, 0] == pytest.approx(model.predict(tokens)[:, 0], abs=0.15), "bfloat16"
    assert not (tmp_path / "README.md").exists() and "/" not in str(again.config)
    going_on = fit.Classifier(1, init=tmp_path)
    assert going_on.predict(tokens)[:, 0] == pytest.approx(again.logits(tokens)[:, 0], abs=1e-3), "head and adapter"


def test_threads_do_not_cut_each_others_texts() -> None:
    _, tokenizer = minilm.load()
    sentences, terms = (
        ["The soup " + "and the bread " * 12 + "was cold."] * 40,
        ["a very long name of a dish " * 5] * 40,
    )
    alone = heads.tokenize_aspects(tokenizer, sentences, terms)
    assert all(len(ids) == len(minilm.tokenize(tokenizer, sentences[:1])[0]) + 17 for ids in alone), (
        "16 tokens of a term"
    )
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda _: heads.tokenize_aspects(tokenizer, sentences, terms), range(80))
        assert all(ids == alone for ids in together)


def test_an_aspect_is_read_at_its_own_tokens() -> None:
    _, tokenizer = minilm.load()
    (ids,) = heads.tokenize_aspects(tokenizer, ["The soup was cold."], ["soup"])
    hidden = torch.arange(len(ids), dtype=torch.float32).reshape(1, -1, 1)
    mask = torch.ones(1, len(ids), dtype=torch.long)
    assert tokenizer.decode(ids[-2:]) == "soup[SEP]" or tokenizer.decode(ids[-2:]) == "soup [SEP]"
    assert minilm.pool(hidden, [ids], mask, "last").item() == len(ids) - 1.5, "the mean of the last two places"
    assert minilm.pool(hidden, [ids], mask, "all").item() == (len(ids) - 1) / 2


def test_stars_become_classes() -> None:
    chances = torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.25, 0.15]]))
    assert heads.by_class(chances).exp()[0].tolist() == pytest.approx([0.3, 0.3, 0.4])
    masks = [*sentiment.STARS.values(), *sentiment.CLASSES.values()]
    assert [sentiment.class_of(mask) for mask in masks] == [0, 0, 1, 2, 2, 0, 1, 2]


def test_a_class_label_allows_any_of_its_stars() -> None:
    one, five = torch.tensor([[9.0, 0, 0, 0, 0]]), torch.tensor([[0, 0, 0, 0, 9.0]])
    negative = torch.tensor([sentiment.CLASSES["negative"]])
    two = torch.tensor([sentiment.STARS[2]])
    good, bad = (float(sentiment.loss_of(logits, negative)) for logits in (one, five))
    assert good < 0.2 < bad and math.isfinite(bad)
    assert float(sentiment.loss_of(one, two)) > good + 1, "an exact rating asks for more"


def test_the_bias_brings_back_how_often_classes_occur() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, p=[0.1, 0.1, 0.8], size=600)
    centres = np.array([[2, 1, 0, 0, 0], [0, 0, 1.5, 0, 0], [0, 0, 0, 1, 1.5]])
    logits = (centres[truth] + rng.normal(0, 1.5, size=(600, 5))).astype(np.float32)
    settings = sentiment.calibrate(logits, truth)
    assert settings["bias"][2] > 0 and settings["bias"][0] == 0.0
    rows = [sentiment.Example("", list(sentiment.CLASSES.values())[kind], "x") for kind in truth]
    plain = sentiment.figures(logits, rows, sentiment.PLAIN)
    assert sentiment.figures(logits, rows, settings)["macro_f1"] > plain["macro_f1"]


def test_copies_of_held_out_reviews_are_not_trained_on() -> None:
    text = "The waiter forgot us twice, the soup came cold, and nobody said a word when we left early."
    mask = sentiment.STARS[1]
    held_out = [sentiment.Example(text, mask, "a")]
    texts = (text.upper().replace(",", " -"), "Bright rooms, quiet nights, a kind desk.")
    examples = [sentiment.Example(text, mask, "b") for text in texts]
    assert sentiment.without_copies(examples, held_out) == examples[1:]


def test_thresholds_ignore_a_lucky_peak() -> None:
    chances = np.linspace(0.01, 0.99, 400)
    truth = np.zeros((400, len(EMOTIONS)))
    truth[chances > 0.6] = 1
    logits = np.tile(np.log(chances / (1 - chances))[:, None], (1, len(EMOTIONS)))
    thresholds = emotions.choose_thresholds(logits, truth)
    assert all(abs(threshold - 0.6) <= 0.06 for threshold in thresholds)
    reached = emotions.figures(logits, truth, thresholds)
    assert reached["macro_f1"] > 0.9 and reached["macro_f1"] == pytest.approx(reached["micro_f1"])
    assert 0.1 < reached["calibration_error"] < 0.5, "the chances are no probabilities here"


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
    from pipeline.core.assets import MODELS

    folders = [folder for folder in sorted(MODELS.iterdir()) if folder.is_dir()]
    assert {folder.name for folder in folders} == {"aspects", "bleurt", "emotions", "ngrams", "sentiment", "student"}
    weights = [file for folder in folders for file in folder.rglob("*.safetensors")]
    assert sum(file.stat().st_size for file in weights) <= 40e6
    for folder in folders:
        card = (folder / "README.md").read_text()
        assert all(word in card for word in ("**Data", "**Command**", "**Seed**", "**Limits.**")), folder.name
    assert not [file for folder in folders for file in folder.rglob("*.bin")]


def test_clear_sentences_are_read_rightly() -> None:
    texts = [
        "The staff was rude and the food was cold. Never again.",
        "Wonderful stay, friendly staff, we will be back!",
    ]
    values = heads.SentimentHead().probabilities(texts)
    assert [SENTIMENTS[row.argmax()] for row in values] == ["negative", "positive"]
    assert values.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    long = " ".join(["We came on a Tuesday and sat by the window near the door."] * 6)
    kind = "Thank you so much, that was very kind of you!"
    both = heads.EmotionsHead().probabilities([f"{long} {kind}", kind, long, ""])
    gratitude, neutral = EMOTIONS.index("gratitude"), EMOTIONS.index("neutral")
    assert both[0, gratitude] > 0.5 and both[0, gratitude] == pytest.approx(both[1, gratitude], abs=0.05)
    assert both[0, neutral] < 0.3 < both[2, neutral], "one feeling among plain sentences is a feeling"
    felt = heads.EmotionsHead().probabilities(["Thank you so much, that was very kind of you!"])
    assert EMOTIONS[felt[0].argmax()] == "gratitude"
