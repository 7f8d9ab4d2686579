from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from pipeline.backends.transformers import resolve
from pipeline.reader import checkpoint, reading

TEXTS = ["The soup was  cold.", "汤是冷的。", "", "¡Qué sopa: fría!"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        made = checkpoint.folder()
        assert checkpoint.folder() == made == Path(resolve("reader"))
    assert [file.name for file in (home / "review-insights").iterdir()] == [made.name]
    return made


def test_it_reads_the_same_tokens_as_the_reader(folder: Path) -> None:
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), reading.load().encoder
    assert tokenizer(TEXTS)["input_ids"] == [encoder.wrap(ids) for ids, _ in encoder.tokenize(TEXTS)]
    assert tokenizer.pad_token_id == encoder.pad_id


def test_a_classifier_starts_from_the_reader_s_vectors(folder: Path) -> None:
    network = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).eval()
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), reading.load().encoder
    ids = tokenizer(TEXTS[:1])["input_ids"]
    with torch.inference_mode():
        ours, mask = encoder.hidden(ids)
        theirs = network.bert(input_ids=torch.tensor(ids))
    torch.testing.assert_close(theirs.last_hidden_state, ours[:, mask[0]], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(theirs.pooler_output, theirs.last_hidden_state[:, 0].tanh())
