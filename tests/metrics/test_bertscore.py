"""BERTScore: the definition worked out again, the edges that bert-score fails on, and the embedded stand-in."""

from __future__ import annotations

import csv
import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.metrics import bertscore

CANDIDATES = ["he is there", "The soup", "Café über the pier!", "he he he"]
REFERENCES = ["there he was", "the soup was cold", "cafe over the pier", "he"]


def by_definition(folder: Path, candidate: str, reference: str, layer: int) -> float:
    """Greedy matching of token vectors by cosine (Zhang et al. 2020), no weights, special tokens left out."""
    from transformers import RobertaModel, RobertaTokenizer

    tokenizer, model = RobertaTokenizer.from_pretrained(folder), RobertaModel.from_pretrained(folder).eval()

    def vectors(text: str) -> torch.Tensor:
        # A word begins with a blank for RoBERTa, and so does the first one.
        ids = tokenizer(f" {text.strip()}", return_tensors="pt")["input_ids"]
        with torch.no_grad():
            hidden = model(ids, output_hidden_states=True).hidden_states[layer][0]
        return torch.nn.functional.normalize(hidden, dim=1)

    first, second = vectors(candidate), vectors(reference)
    cosines = first @ second.T
    precision = cosines.max(dim=1).values[1:-1].mean().item()
    recall = cosines.max(dim=0).values[1:-1].mean().item()
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_equals_the_definition(roberta: Path, layer: int) -> None:
    expected = [by_definition(roberta, *pair, layer) for pair in zip(CANDIDATES, REFERENCES, strict=True)]
    got = bertscore.score(CANDIDATES, REFERENCES, str(roberta), num_layers=layer, batch_size=3)
    assert got == pytest.approx(expected, abs=1e-5)
    assert len({round(value, 4) for value in got}) == 4


def test_a_text_equals_itself(roberta: Path) -> None:
    assert bertscore.score(CANDIDATES, CANDIDATES, str(roberta), num_layers=2) == pytest.approx([1.0] * 4, abs=1e-5)


def test_batches_do_not_matter(roberta: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bertscore.score(CANDIDATES, REFERENCES, str(roberta), num_layers=2)
    monkeypatch.setattr(bertscore, "_CHUNK", 1)
    assert bertscore.score(CANDIDATES, REFERENCES, str(roberta), num_layers=2) == pytest.approx(whole, abs=1e-6)


def test_empty_texts_score_zero_in_silence(roberta: Path, capfd: pytest.CaptureFixture[str]) -> None:
    candidates = ["", "he", " \n", "he is there", ""]
    references = ["he", "", "he", "there he was", ""]
    values = bertscore.score(candidates, references, str(roberta), num_layers=2)
    alone = bertscore.score(["he is there"], ["there he was"], str(roberta), num_layers=2)
    assert values[:3] == [0.0] * 3 and values[4] == 0.0
    assert values[3:4] == pytest.approx(alone, abs=1e-6)
    assert capfd.readouterr() == ("", "")


def test_a_text_without_tokens_counts_as_empty(capfd: pytest.CaptureFixture[str]) -> None:
    """MiniLM's tokenizer drops control characters."""
    assert bertscore.score(["\x01\x02"], ["cold soup"], "minilm") == [0.0]
    assert capfd.readouterr().err == ""


def test_long_texts_are_cut_and_counted(roberta: Path) -> None:
    long = "the " * 100
    candidates, references = [long, "he", "the " * 38, "the " * 39], ["he", long, "he", "he"]
    assert all(0 < value <= 1 for value in bertscore.score(candidates, references, str(roberta), num_layers=2))
    assert sum(bertscore.truncated(candidates, references, str(roberta))) == 3
    assert sum(bertscore.truncated(["the " * 38], ["he"], str(roberta))) == 0
    cut = bertscore.score([long], ["he"], str(roberta), num_layers=2)
    assert cut == pytest.approx(bertscore.score(["the " * 38], ["he"], str(roberta), num_layers=2), abs=1e-6)


def test_rescaling(roberta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a made-up baseline, as the package has none for a random model."""
    import bert_score

    folder = tmp_path / "package"
    (folder / "rescale_baseline" / "en").mkdir(parents=True)
    monkeypatch.setattr(bert_score, "__file__", str(folder / "__init__.py"))
    with pytest.raises(InputError, match="no baseline"):
        bertscore.score(["he"], ["he"], str(roberta), num_layers=2, rescale_with_baseline=True)
    baseline = folder / "rescale_baseline" / "en" / "local.tsv"
    baseline.write_text("LAYER,P,R,F\n0,0.1,0.1,0.1\n1,0.2,0.2,0.2\n2,0.6,0.6,0.6\n3,0.3,0.3,0.3\n")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(roberta, tmp_path / "local")
    plain = bertscore.score([*CANDIDATES, ""], [*REFERENCES, "he"], "local", num_layers=2)
    rescaled = bertscore.score(
        [*CANDIDATES, ""], [*REFERENCES, "he"], "local", num_layers=2, rescale_with_baseline=True
    )
    assert rescaled == pytest.approx([(value - 0.6) / 0.4 for value in plain], abs=1e-5)


def test_the_settings_have_a_name() -> None:
    import bert_score
    from bert_score.utils import get_hash

    for rescaled in (False, True):
        theirs = get_hash("roberta-large", 17, False, rescaled, False, False)
        theirs = theirs.replace(bert_score.__version__, metadata.version("bert-score"))  # 0.3.13 calls itself 0.3.12
        assert bertscore.settings_hash(rescale_with_baseline=rescaled) == theirs
    assert bertscore.settings_hash("microsoft/deberta-xlarge-mnli").startswith("microsoft/deberta-xlarge-mnli_L40_")
    assert bertscore.settings_hash("minilm").startswith("sentence-transformers/all-MiniLM-L6-v2_L4_")
    assert bertscore.settings_hash("my/model", num_layers=3).startswith("my/model_L3_")


def test_refuses_what_it_cannot_score(roberta: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tuned layer"):
        bertscore.score(["he"], ["he"], str(roberta))
    with pytest.raises(InputError, match="num_layers should be between 0 and 3"):
        bertscore.score(["he"], ["he"], str(roberta), num_layers=9)
    with pytest.raises(InputError, match="cannot be loaded"):
        bertscore.score(["he"], ["he"], str(tmp_path), num_layers=1)
    with pytest.raises(InputError, match="2 candidates for 1 references"):
        bertscore.score(["a", "b"], ["a"])
    shutil.copytree(roberta, tmp_path / "t5" / "roberta")
    with pytest.raises(InputError, match="T5"):
        bertscore.score(["he"], ["he"], str(tmp_path / "t5" / "roberta"), num_layers=1)


def test_no_pairs_load_no_model() -> None:
    assert bertscore.score([], [], "no-such-model") == []
    assert bertscore.truncated([], [], "no-such-model") == []


def test_the_stand_in_prefers_the_paraphrase() -> None:
    reference = "Apologise for the cold soup and train the waiters."
    near, far = bertscore.score(
        ["Say sorry that the soup was cold and coach the waiting staff.", "Parking is free on Sundays."],
        [reference, reference],
        "minilm",
    )
    assert near > far + 0.1


def test_the_stand_in_follows_the_real_values(shared_data: Path) -> None:
    """Pearson correlation with roberta-large's values in the original's benchmark, both candidates of 20 rows."""
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::25]
    candidates = [row[name] for name in ("phi-2_output", "phi-2_output_fine-tuned") for row in rows]
    real = [float(row[name]) for name in ("base_bertscore", "tuned_bertscore") for row in rows]
    values = bertscore.score(candidates, [row["mistral_output"] for row in rows] * 2, "minilm")
    assert np.corrcoef(values, real)[0, 1] > 0.85
