from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.warehouse import open_read_only
from pipeline.tuning import compare
from pipeline.tuning.labelled.rows import Labelled
from tests import labelled_rows
from tests.checkpoints import Checkpoints

TOML = """
[[model]]
name = "ours"
backend = "embedded"
languages = ["en"]
[[model]]
name = "five stars"
model = "{stars}"
[[model]]
name = "told"
model = "{gpt2}"
labels = {{ LABEL_0 = "positive", LABEL_1 = "negative", LABEL_2 = "neutral" }}
[[model]]
name = "mute"
model = "{gpt2}"
[[model]]
name = "away"
model = "{away}"
[[model]]
name = "untuned"
tuned_from = "openai-community/gpt2"
"""


@pytest.fixture(scope="module")
def stars(tiny: Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of five stars, as nlptown's."""
    import torch
    from transformers import AutoTokenizer, DistilBertConfig, DistilBertForSequenceClassification

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("stars") / "nlptown"
    config = DistilBertConfig.from_pretrained(tiny.distilbert_base, num_labels=5)
    config.id2label = {n: f"{n + 1} star{'s' if n else ''}" for n in range(5)}
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny.distilbert_base).save_pretrained(folder)
    return str(folder)


@pytest.mark.slow
def test_label_spaces_failures_and_the_page(
    tiny: Checkpoints, stars: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    models = tmp_path / "models.toml"
    models.write_text(TOML.format(stars=stars, gpt2=tiny.gpt2_sentiment, away=tmp_path / "away"))
    file = labelled_rows.write(tmp_path / "r.csv", 60)
    command = [
        "compare",
        "--models",
        str(models),
        "--data",
        file,
        "--label",
        "stars",
        "--labels",
        "stars",
        "--limit",
        "30",
        "--warehouse",
        str(tmp_path / "w.duckdb"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(command) == 0
    shown = capsys.readouterr().out
    for name, reason in (("mute", "LABEL_0"), ("away", "could not be loaded"), ("untuned", "review-insights finetune")):
        (line,) = [line for line in shown.splitlines() if line.startswith(f"not compared: {name}")]
        assert reason in line
    (folder,) = (tmp_path / "out").iterdir()
    told = json.loads((folder / "figures.json").read_text())
    judged = {item["name"]: item for item in told["models"] if item["figures"]}
    assert set(judged) == {"ours", "five stars", "told"} and told["rows"] == 30
    for item in judged.values():
        assert (
            item["figures"]["n"] == 30 and item["figures"]["rows_per_second"] > 0 and item["figures"]["parameters"] > 0
        )
        assert all(answer["says"] in SENTIMENTS and 1 / 3 <= answer["confidence"] <= 1 for answer in item["probes"])
    assert judged["ours"]["figures"]["accuracy"] > 0.6
    page = (folder / "report.html").read_text()
    for kind in ("clear positive", "clear negative", "ambiguous", "sarcastic", "negated", "mixed", "original project"):
        assert kind in page
    assert "Not compared" in page and "Before comparing languages" in page
    _has_its_parts(told, page, (folder / "report.md").read_text())
    warehouse = open_read_only(tmp_path / "w.duckdb")
    roles = {row["role"] for row in warehouse.query("SELECT DISTINCT role FROM metrics")}
    assert roles == {"compare:ours", "compare:five stars", "compare:told"}
    assert warehouse.value("SELECT kind FROM runs") == "compare"
    warehouse.close()


def _has_its_parts(told: dict[str, Any], page: str, text: str) -> None:
    """Pairs, the heat map and the calibration of three models on 30 rows."""
    overall = [pair for pair in told["pairs"] if not pair["language"]]
    assert [(pair["a"], pair["b"], pair["n"]) for pair in overall] == [
        ("ours", "five stars", 30),
        ("ours", "told", 30),
        ("five stars", "told", 30),
    ]
    pairs = page.split('<section id="pairs">')[1].split("</section>")[0]
    assert pairs.count("<tr>") == 1 + 3 + 1 + 3, "overall and by language, a row for each pair"
    assert "ours is better than" in pairs and "ours is better than" in text
    heat = page.split('id="heat"')[1].split("</table>")[0]
    probes = told["models"][0]["probes"]
    assert heat.count('style="background:rgb(') == len(probes) * 3 * 3, "phrases, models, classes"
    assert heat.count('class="n told"') == len(probes) * 3
    assert all(sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3) for answer in probes)
    calibration = page.split('<section id="calibration">')[1]
    assert "ECE, tempered" in calibration and "<svg" not in calibration, "30 rows fit no temperature"
    assert all(item["figures"]["megabytes"] != 0 for item in told["models"] if item["figures"])


def test_ours_reads_the_clear_probes_and_the_bundled_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "compare",
        "--model",
        "embedded",
        "--limit",
        "40",
        "--json",
        "--warehouse",
        str(tmp_path / "w.duckdb"),
        "--out",
        str(tmp_path),
    ]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    clear = [answer for answer in told["models"][0]["probes"] if answer["kind"].startswith("clear")]
    assert clear and all(answer["says"] == answer["expected"] for answer in clear)


def test_the_shipped_lists_load() -> None:
    names = [candidate.name for candidate in compare.load_models()]
    assert names == ["ours", "BERTweet", "FinBERT", "nlptown", "XLM-T", "GPT-2 tuned", "DistilBERT tuned"]
    kinds = {kind for kind, _, _ in compare.load_probes()}
    assert kinds == {
        "clear positive",
        "clear negative",
        "ambiguous",
        "sarcastic",
        "negated",
        "mixed",
        "original project",
    }


def test_the_newest_tuned_model_is_taken(tmp_path: Path) -> None:
    candidate = compare.Candidate(name="GPT-2 tuned", tuned_from="openai-community/gpt2")
    for name, base in (("sentiment-a", "openai-community/gpt2"), ("sentiment-b", "other")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "training.json").write_text(json.dumps({"base": base}))
    assert compare.resolve_tuned(candidate, tmp_path).model == str(tmp_path / "sentiment-a" / "model")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(tiny: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> compare.Candidate:
    """A model of the hub that was downloaded once, in a cache laid out as the hub's client does, and no network."""
    repository = tmp_path / "models--owner--stars"
    (repository / "refs" / "refs" / "pr").mkdir(parents=True)
    (repository / "refs" / "refs" / "pr" / "3").write_text(COMMIT)
    shutil.copytree(tiny.gpt2_sentiment, repository / "snapshots" / COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    labels = {"LABEL_0": "negative", "LABEL_1": "neutral", "LABEL_2": "positive"}
    return compare.Candidate(name="stars", model="owner/stars", revision="refs/pr/3", commit=COMMIT[:7], labels=labels)


def test_a_revision_that_can_move_is_loaded_at_the_commit_that_was_seen(
    cached: compare.Candidate, tmp_path: Path
) -> None:
    assert compare.resolve_commit(cached).revision == COMMIT
    data = labelled_rows.labelled(30)
    (result,), _ = compare.run([cached], data, [], tmp_path / "w.duckdb", tmp_path, tmp_path / "out")
    assert result.figures is not None and result.candidate.revision == COMMIT


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"commit": "505b457"}, "is commit 0123456 now, not 505b457"),
        ({"revision": "refs/pr/4"}, "could not be resolved to a commit"),
        ({"model": "owner/never-downloaded"}, "could not be resolved to a commit"),
    ],
)
def test_another_commit_is_not_loaded(cached: compare.Candidate, changes: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        compare.resolve_commit(replace(cached, **changes))
    assert "\n" not in str(caught.value)


def test_two_class_data_asks_for_the_side_a_model_leans_to() -> None:
    values = compare.project(np.array([[0.3, 0.6, 0.1], [0.0, 1.0, 0.0]]), ("negative", "positive"))
    np.testing.assert_allclose(values, [[0.75, 0.25], [0.5, 0.5]])


def test_the_same_rows_whatever_their_order() -> None:
    data = labelled_rows.labelled(50)
    turned = Labelled("sentiment", SENTIMENTS, data.examples[::-1], 50, {}, "")
    assert compare.sample(data, 7) == compare.sample(turned, 7) and len(compare.sample(data, 0)) == 50


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "names none"),
        ("[[model]]\nname = 'a'\n", "needs one of"),
        ("[[model]]\nname = 'a'\ncolour = 'b'\n", "colour"),
        ("[[model", "cannot be read"),
    ],
)
def test_a_list_that_is_wrong_is_one_clear_line(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "m.toml"
    file.write_text(content)
    with pytest.raises(InputError, match=says) as caught:
        compare.load_models(file)
    assert "\n" not in str(caught.value)


def test_models_by_name_and_probes_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "sentiment-x" / "model").mkdir(parents=True)
    found = compare.candidates_from(["embedded", "owner/name@abc", str(tmp_path / "sentiment-x" / "model")])
    assert [(c.name, c.revision) for c in found] == [("ours", "main"), ("owner/name", "abc"), ("sentiment-x", "main")]
    with pytest.raises(InputError, match="Two models"):
        compare.candidates_from(["embedded", "embedded"])
    file = tmp_path / "p.toml"
    file.write_text('[[probe]]\nkind = "odd"\nexpected = "purple"\ntexts = ["x"]\n')
    with pytest.raises(InputError, match="purple"):
        compare.load_probes(file)


def test_nothing_to_compare_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match="No model could be loaded: away"):
        compare.run(
            [compare.Candidate(name="away", model=str(tmp_path / "away"))],
            labelled_rows.labelled(30),
            [],
            tmp_path / "w.duckdb",
            tmp_path,
            tmp_path / "out",
        )
    assert not (tmp_path / "w.duckdb").exists()
