from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from pipeline.backends.transformers import TransformersClassifier
from pipeline.core.assets import RECIPES
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.reader import minilm
from pipeline.tuning import networks, trainer
from pipeline.tuning.labelled.rows import Example, Labelled
from pipeline.tuning.labelled.split import stratified_split
from tests import labelled_rows
from tests.checkpoints import Checkpoints

ROOT = Path(__file__).resolve().parents[2]


def accuracy(folder: Path, rows: list[Example]) -> float:
    model = TransformersClassifier(str(folder / "model"), "main", "softmax")
    assert model.labels == SENTIMENTS
    return float((model.probabilities([row.text for row in rows]).argmax(1) == [row.classes[0] for row in rows]).mean())


@pytest.mark.parametrize(
    ("base", "method", "epochs", "rate"),
    [
        ("distilbert_base", "full", 12, 5e-3),
        pytest.param("gpt2_base", "full", 10, 1e-2, marks=pytest.mark.slow),
        ("llama_base", "qlora", 5, 1e-2),
        pytest.param("distilbert_base", "lora", 24, 5e-3, marks=pytest.mark.slow),
    ],
)
def test_every_kind_of_base_learns_and_loads_again(
    tiny: Checkpoints,
    tmp_path: Path,
    base: str,
    method: str,
    epochs: int,
    rate: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The rates learn with every seed that was tried, so no rounding decides: 0.84 and more of the rows are right, a
    third by chance.
    """
    parts = labelled_rows.parts()
    changes = {"num_train_epochs": epochs, "patience": epochs, "learning_rate": rate}
    own = labelled_rows.settings(getattr(tiny, base), method, **changes)
    facts = trainer.train(parts, SENTIMENTS, own, tmp_path / "t")
    assert capsys.readouterr().out == "", "stdout is for results"
    assert accuracy(tmp_path / "t", [*parts["test"], *parts["validation"]]) > 0.6
    assert facts["validation_macro_f1"] > 0.6 and facts["rows"]["train"] == len(parts["train"])
    files = {file.name for file in (tmp_path / "t" / "model").iterdir()}
    weights = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    assert weights in files and not any(name.endswith((".bin", ".pt", ".pkl")) for name in files)
    assert sorted(file.name for file in (tmp_path / "t").iterdir()) == ["model", "training.json"], (
        "no checkpoint is left"
    )
    config = AutoConfig.from_pretrained(tmp_path / "t" / "model")
    assert config.review_insights["max_tokens"] == 32 and not hasattr(config, "quantization_config")
    if method != "full":
        assert facts["trained_parameters"] < facts["parameters"]


@pytest.mark.slow
def test_qlora_trains_and_saves_the_score_head(tiny: Checkpoints, tmp_path: Path) -> None:
    """The base is 4-bit, the head is not, and what was trained comes back."""
    own = labelled_rows.settings(tiny.llama_base, "qlora", num_train_epochs=1)
    network, _ = networks.load(
        tiny.llama_base, "main", task="sentiment", columns=SENTIMENTS, quantize="nf4", lora=own.recipe["lora"], seed=0
    )
    kinds = {name: type(module).__name__ for name, module in network.named_modules()}
    assert any(kind == "Linear4bit" or "Linear4bit" in kind for kind in kinds.values())
    before = network.base_model.model.score.modules_to_save["default"].weight.detach().clone()
    assert before.dtype.is_floating_point
    trainer.train(labelled_rows.parts(), SENTIMENTS, own, tmp_path / "t")
    saved = load_file(tmp_path / "t" / "model" / "adapter_model.safetensors")
    (head,) = [value for name, value in saved.items() if "score" in name]
    assert head.shape == before.shape and not np.allclose(head.numpy(), before.numpy())
    loaded = TransformersClassifier(str(tmp_path / "t" / "model"), "main", "softmax").network
    np.testing.assert_array_equal(
        loaded.base_model.model.score.modules_to_save["default"].weight.detach().numpy(), head.numpy()
    )
    assert any("4bit" in type(module).__name__ for module in loaded.modules()), "judged as it was trained"


def test_padding_on_either_side_changes_nothing(tiny: Checkpoints) -> None:
    """The Llama tokenizer is saved to pad on the left; GPT-2 counts absolute positions."""
    texts = ["Soup.", "The waiter was rude and we waited fifty minutes for cold soup, which nobody wanted."]
    for base in (tiny.llama_base, tiny.gpt2_base):
        network, tokenizer = networks.load(
            base, "main", task="sentiment", columns=SENTIMENTS, quantize="none", lora=None, seed=0
        )
        together = TransformersClassifier.of(network, tokenizer, "m", "softmax")
        alone = [together.probabilities([text])[0] for text in texts]
        np.testing.assert_allclose(together.probabilities(texts), alone, atol=1e-5)
        assert tokenizer.pad_token_id == network.config.pad_token_id


KILLED = """
import os, signal, sys
from pipeline.tuning import trainer
from pipeline.core.labels import SENTIMENTS
from tests import labelled_rows
from pathlib import Path
def progress(done, total):
    if done == 20:
        os.kill(os.getpid(), signal.SIGKILL)
own = labelled_rows.settings(sys.argv[1])
trainer.train(labelled_rows.parts(), SENTIMENTS, own, Path(sys.argv[2]), progress)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_and_ends_the_same(tiny: Checkpoints, tmp_path: Path) -> None:
    own, parts = labelled_rows.settings(tiny.distilbert_base), labelled_rows.parts()
    command = [sys.executable, "-W", "ignore", "-c", KILLED, tiny.distilbert_base, str(tmp_path / "killed")]
    threads = str(torch.get_num_threads())  # sums differ in the last bit with another number of threads
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads, "TRANSFORMERS_VERBOSITY": "error"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    found = trainer.last_checkpoint(tmp_path / "killed")
    assert found is not None and not (tmp_path / "killed" / "model").exists()
    cut = tmp_path / "killed" / "checkpoints" / "checkpoint-999"
    cut.mkdir()
    (cut / "trainer_state.json").write_text('{"global_step": 99')  # killed while a checkpoint was being written
    steps: list[int] = []
    trainer.train(parts, SENTIMENTS, own, tmp_path / "killed", lambda done, total: steps.append(done))
    assert min(steps) == int(found.rsplit("-", 1)[1]) + 1, "it went on, it did not begin again"
    whole = trainer.train(parts, SENTIMENTS, own, tmp_path / "whole")
    resumed = json.loads((tmp_path / "killed" / "training.json").read_text())
    for name in ("validation_macro_f1", "best_step", "steps"):
        assert resumed[name] == whole[name]
    # Chances, not weights: the bias of attention's keys changes nothing, so Adam moves it by rounding noise alone.
    texts = [row.text for row in parts["test"]]
    one, two = (
        TransformersClassifier(str(tmp_path / name / "model"), "main", "softmax").probabilities(texts)
        for name in ("killed", "whole")
    )
    np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.slow
def test_a_finished_training_is_not_repeated(tiny: Checkpoints, tmp_path: Path) -> None:
    own, parts = labelled_rows.settings(tiny.distilbert_base, num_train_epochs=1), labelled_rows.parts()
    first = trainer.train(parts, SENTIMENTS, own, tmp_path / "t")
    stamp = (tmp_path / "t" / "model" / "model.safetensors").stat().st_mtime_ns
    assert trainer.train(parts, SENTIMENTS, own, tmp_path / "t") == first
    assert (tmp_path / "t" / "model" / "model.safetensors").stat().st_mtime_ns == stamp


@pytest.mark.slow
def test_it_stops_early(tiny: Checkpoints, tmp_path: Path) -> None:
    own = labelled_rows.settings(tiny.distilbert_base, learning_rate=0.0, num_train_epochs=8, patience=1)
    facts = trainer.train(labelled_rows.parts(), SENTIMENTS, own, tmp_path / "t")
    assert facts["steps"] == 16, "two of eight epochs: nothing was learned in the second"


def test_the_key_changes_with_what_decides_and_with_nothing_else(tiny: Checkpoints) -> None:
    data, own = labelled_rows.labelled(), labelled_rows.settings(tiny.distilbert_base)
    key = own.key(data)
    assert replace(own, report_to=("tensorboard",)).key(data) == key
    others = [
        replace(own, seed=1),
        replace(own, balance="weights"),
        replace(own, fraction=0.5),
        replace(own, method="lora"),
        replace(own, model=tiny.gpt2_base),
        replace(own, recipe={**own.recipe, "max_tokens": 33}),
    ]
    assert (
        len(
            {
                key,
                replace(data, content="other").content and own.key(replace(data, content="other")),
                *(other.key(data) for other in others),
            }
        )
        == 8
    )


@pytest.mark.slow
@pytest.mark.parametrize("balance", ["weights", "undersample"])
def test_balancing_helps_the_rare_class(tiny: Checkpoints, tmp_path: Path, balance: Any) -> None:
    rows = [row for n, row in enumerate(labelled_rows.labelled(400).examples) if row.classes != (1,) or n % 10 == 1]
    parts = stratified_split(
        Labelled("sentiment", SENTIMENTS, tuple(rows), len(rows), {}, ""), validation=0.2, test=0.2
    )
    own = labelled_rows.settings(tiny.distilbert_base, num_train_epochs=1, balance=balance)
    facts = trainer.train(parts, SENTIMENTS, own, tmp_path / "b")
    if balance == "undersample":
        assert facts["rows"]["train"] < len(parts["train"]) / 2
        return
    plain = trainer.train(
        parts, SENTIMENTS, labelled_rows.settings(tiny.distilbert_base, num_train_epochs=1), tmp_path / "p"
    )

    def neutral(folder: str) -> float:
        model = TransformersClassifier(str(tmp_path / folder / "model"), "main", "softmax")
        return float(model.probabilities([row.text for row in parts["validation"]])[:, 1].mean())

    assert neutral("b") > neutral("p") and plain["balance"] == "none"


@pytest.mark.slow
def test_emotions_several_at_once_with_thresholds(tiny: Checkpoints, tmp_path: Path) -> None:
    rows = tuple(
        Example(
            f"I feel {EMOTIONS[n % 28]} and {EMOTIONS[(n + 1) % 28]} now, day {n}.",
            tuple(sorted((n % 28, (n + 1) % 28))),
            "en",
            "x",
        )
        for n in range(280)
    )
    parts = stratified_split(Labelled("emotions", EMOTIONS, rows, 280, {}, ""))
    own = labelled_rows.settings(tiny.distilbert_base, task="emotions", num_train_epochs=1, balance="weights")
    facts = trainer.train(parts, EMOTIONS, own, tmp_path / "t")
    assert set(facts["thresholds"]) == set(EMOTIONS) and all(0 < value < 1 for value in facts["thresholds"].values())
    model = TransformersClassifier(str(tmp_path / "t" / "model"), "main", "sigmoid")
    assert model.labels == EMOTIONS
    from pipeline.backends import registry
    from pipeline.core.profile import Emotions

    section = Emotions(backend="transformers", model=str(tmp_path / "t" / "model"), thresholds={"joy": 0.9})
    assert registry.emotion_thresholds(section) == facts["thresholds"] | {"joy": 0.9}
    assert registry.emotions(section).probabilities(["I feel joy"]).shape == (1, 28)


def test_a_head_of_its_own_keeps_its_order(tiny: Checkpoints) -> None:
    config = AutoConfig.from_pretrained(tiny.gpt2_sentiment)
    assert networks.head_classes(config, "sentiment") is None, "LABEL_0 says nothing"
    config.id2label = {0: "POS", 1: "NEG", 2: "NEU"}
    assert networks.column_order(config, "sentiment", SENTIMENTS) == ("positive", "negative", "neutral")
    config.id2label = {n: f"{n + 1} stars" for n in range(5)}
    assert networks.column_order(config, "sentiment", SENTIMENTS) == SENTIMENTS
    assert networks.head_classes(config, "sentiment") == ["negative", "negative", "neutral", "positive", "positive"]


def test_a_head_that_means_something_else_is_drawn_anew(tiny: Checkpoints) -> None:
    saved = load_file(Path(tiny.gpt2_sentiment) / "model.safetensors")["score.weight"].numpy()
    own: dict[str, Any] = {"task": "sentiment", "columns": SENTIMENTS, "quantize": "none", "lora": None}
    one, two, other = (
        networks.load(tiny.gpt2_sentiment, "main", seed=seed, **own)[0].score.weight.detach().numpy()
        for seed in (0, 0, 1)
    )
    assert not np.allclose(one, saved), "its labels are LABEL_0 to LABEL_2"
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("file", sorted((RECIPES / "classify").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_recipe_is_understood(file: Path, tmp_path: Path, tiny: Checkpoints) -> None:
    recipe = trainer.load_recipe(file.stem)
    own = trainer.Settings("sentiment", tiny.distilbert_base, recipe=recipe)
    assert trainer.arguments(own, tmp_path).num_train_epochs > 0
    if recipe["lora"]:
        networks.load(
            tiny.distilbert_base,
            "main",
            task="sentiment",
            columns=SENTIMENTS,
            quantize="none",
            lora=recipe["lora"],
            seed=0,
        )
    text = file.read_text()
    assert text.startswith("#") and "review-insights finetune" in text and "# Limits:" in text


@pytest.mark.parametrize("file", sorted((RECIPES / "accelerate").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_launch_configuration_loads(file: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(file))
    assert config.num_processes == 2
    if file.stem.startswith("fsdp"):
        assert (
            str(config.distributed_type).endswith("FSDP")
            and config.fsdp_config["fsdp_state_dict_type"] == "FULL_STATE_DICT"
        )
    if file.stem.startswith("deepspeed"):
        assert str(config.distributed_type).endswith("DEEPSPEED")
        assert config.deepspeed_config["zero_stage"] == (3 if "zero3" in file.stem else 2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"no_such_option": 1}, "no_such_option"),
        ({"quantize": "nf4"}, "lora section"),
        ({"quantize": "int3"}, "quantize"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": 3}, "set by finetune"),
    ],
)
def test_a_recipe_that_cannot_work_is_one_clear_line(
    tiny: Checkpoints, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        own = labelled_rows.settings(tiny.distilbert_base, **changes) if "seed" not in changes else None
        if own is None:
            trainer.load_recipe("full", changes)
        else:
            trainer.train(labelled_rows.parts(), SENTIMENTS, own, tmp_path / "t")
    assert "\n" not in str(caught.value)


def test_recipes_files_and_names(tmp_path: Path) -> None:
    assert trainer.recipe_name("minilm", "lora") == "minilm_lora"
    assert trainer.recipe_name("minilm", "qlora") == "qlora"
    assert trainer.recipe_name("roberta-base", "full") == "full"
    for content, says in (("- a", "exactly"), ("a: [", "not valid YAML"), ("quantize: none", "exactly")):
        (tmp_path / "r.yaml").write_text(content)
        with pytest.raises(InputError, match=says):
            trainer.load_recipe(str(tmp_path / "r.yaml"))
    with pytest.raises(InputError, match="Shipped: full, lora"):
        trainer.load_recipe("nothing")


def test_a_reporter_that_is_not_installed_is_named(tiny: Checkpoints, tmp_path: Path) -> None:
    own = labelled_rows.settings(tiny.distilbert_base, report_to=("comet_ml",))
    with pytest.raises(InputError, match="comet"):
        trainer.train(labelled_rows.parts(), SENTIMENTS, own, tmp_path / "t")


def test_events_of_tensorboard_outlive_the_checkpoints(
    tiny: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is no dependency of ours: a writer of the same shape takes its place."""

    class Writer:
        def __init__(self, log_dir: str) -> None:
            self.file = Path(log_dir) / "events.txt"
            self.file.parent.mkdir(parents=True, exist_ok=True)

        def add_text(self, *args: Any) -> None: ...

        def add_scalar(self, name: str, value: float, step: int) -> None:
            with self.file.open("a") as file:
                file.write(f"{name} {value} {step}\n")

        def flush(self) -> None: ...

        def close(self) -> None: ...

    from transformers.integrations import integration_utils

    def init(self: Any, tb_writer: Any = None) -> None:
        self._SummaryWriter, self.tb_writer, self.logging_dir = Writer, tb_writer, None

    monkeypatch.setattr(integration_utils.TensorBoardCallback, "__init__", init)
    own = labelled_rows.settings(tiny.distilbert_base, num_train_epochs=1, report_to=("tensorboard",))
    trainer.train(labelled_rows.parts(), SENTIMENTS, own, tmp_path / "t")
    (events,) = (tmp_path / "t" / "runs").rglob("events.txt")
    assert "eval/macro_f1" in events.read_text() and not (tmp_path / "t" / "checkpoints").exists()


# Plain gradient descent in one epoch of full batches: where a training ends is where it began less the sum of its gradients.
PLAIN = {
    "optim": "sgd",
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "learning_rate": 0.05,
    "num_train_epochs": 1,
}

TWO = """
import json, sys
from pathlib import Path
from pipeline.core.labels import SENTIMENTS
from pipeline.tuning import trainer
from tests import labelled_rows
own = labelled_rows.settings(sys.argv[1], **json.loads(sys.argv[2]))
trainer.train(labelled_rows.parts(), SENTIMENTS, own, Path(sys.argv[3]))
"""


def weights(folder: Path) -> np.ndarray:
    """All of a trained model's, in one vector."""
    state = load_file(folder / "model" / "model.safetensors")
    return np.concatenate([state[name].double().numpy().ravel() for name in sorted(state)])


@pytest.mark.slow
def test_two_processes_see_the_gradients_of_one(tiny: Checkpoints, tmp_path: Path) -> None:
    """accelerate launch with gloo on two CPU processes, against this process alone. The weights may differ by the
    rounding of float32 (one part in a million of the way they went, as measured); a row that is missing, or counted
    twice, or a loss divided by another number would move them by a hundredth and more.
    """
    script = tmp_path / "two.py"
    script.write_text(TWO)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    launch = [sys.executable, "-W", "ignore", "-m", "accelerate.commands.launch"]
    launch += ["--config_file", str(RECIPES / "accelerate" / "cpu2.yaml"), "--main_process_port", "0"]
    launch += [str(script), tiny.distilbert_base, json.dumps(PLAIN), str(tmp_path / "two")]
    ended = subprocess.run(launch, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    two = json.loads((tmp_path / "two" / "training.json").read_text())
    own = labelled_rows.settings(tiny.distilbert_base, **PLAIN)
    one = trainer.train(labelled_rows.parts(), SENTIMENTS, own, tmp_path / "one")
    still = labelled_rows.settings(tiny.distilbert_base, **(PLAIN | {"learning_rate": 0.0}))
    trainer.train(labelled_rows.parts(), SENTIMENTS, still, tmp_path / "still")
    assert two["processes"] == 2 and one["processes"] == 1 and two["steps"] == one["steps"]
    assert one["rows"]["train"] % own.recipe["batch_size"] == 0, (
        "a batch that is not full is filled up by two processes"
    )
    start, alone, together = (weights(tmp_path / name) for name in ("still", "one", "two"))
    assert np.linalg.norm(together - alone) < 1e-3 * np.linalg.norm(alone - start)


@pytest.mark.parametrize("fast", [True, False])
def test_bfloat16_is_used_where_the_processor_multiplies_it(
    tiny: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr(minilm, "bf16_is_fast", lambda: fast)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for method, expected in (("full", fast), ("qlora", False)):
        own = trainer.Settings("sentiment", tiny.distilbert_base, recipe=trainer.load_recipe(method))
        assert trainer.arguments(own, tmp_path).bf16 is expected
    assert not trainer.arguments(labelled_rows.settings(tiny.distilbert_base, bf16=False), tmp_path).bf16, (
        "a recipe decides"
    )


@pytest.mark.slow
def test_a_training_in_bfloat16_learns_on_every_processor(tiny: Checkpoints, tmp_path: Path) -> None:
    parts = labelled_rows.parts()
    own = labelled_rows.settings(tiny.distilbert_base, num_train_epochs=12, patience=12, learning_rate=5e-3, bf16=True)
    trainer.train(parts, SENTIMENTS, own, tmp_path / "t")
    assert accuracy(tmp_path / "t", [*parts["test"], *parts["validation"]]) > 0.6
