"""The benchmarks measure what they say they do; how fast a machine is, is no test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nltk
import pytest

from pipeline.bench import meteor as bench
from pipeline.bench.measure import Sizes
from pipeline.core.errors import InputError
from pipeline.metrics import meteor, tokens

DEBIAN_WORDNET = bench.DEBIAN_WORDNET
PAIRS = [
    ("Apologise for the cold soup. Train the waiters.", "Say sorry for the cold broth and train the waiting staff."),
    ("Answer the phone within a minute.", "Someone should answer the telephone quickly."),
    ("", "Refund the parcel."),
    ("Refund the parcel.", "Refund the parcel."),
]


@pytest.fixture(autouse=True)
def no_wordnet_but_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """NLTK's reader takes seconds to open; one test is enough for it."""
    monkeypatch.setattr(bench, "DEBIAN_WORDNET", tmp_path)
    monkeypatch.setattr(bench, "_nltk_has_wordnet", lambda: False)


def well_formed(result: dict[str, Any], pairs: int) -> None:
    assert result["pairs"] == pairs and result["equal"] and result["largest_difference"] <= 1e-9
    assert set(result["milliseconds"]) == {"new texts", "known words", "plain NLTK"}
    assert set(result["ratios"]) == {"new texts", "known words"}
    assert all(value > 0 for value in (*result["milliseconds"].values(), *result["ratios"].values()))


def test_meteor_is_compared_with_plain_nltk() -> None:
    result = bench.meteor(PAIRS, rounds=2)
    well_formed(result, 4)
    assert result["rounds"] == 2
    assert "meteor_score" in result["baseline"] and "the shipped WordNet table" in result["baseline"]


@pytest.mark.slow
def test_on_debians_wordnet_through_nltks_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DEBIAN_WORDNET", DEBIAN_WORDNET)
    if not bench._is_wordnet(DEBIAN_WORDNET):
        pytest.skip("needs Debian's wordnet-base and wordnet-sense-index")
    path = list(nltk.data.path)
    result = bench.meteor(PAIRS, rounds=1)
    well_formed(result, 4)
    assert "NLTK's reader on Debian's WordNet" in result["baseline"]
    assert nltk.data.path == path, "the temporary copy of WordNet is forgotten"


def test_a_wrong_value_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = meteor.score
    monkeypatch.setattr(meteor, "score", lambda *texts: [*right(*texts)[:-1], 0.5])
    result = bench.meteor(PAIRS, rounds=1)
    assert not result["equal"] and result["largest_difference"] > 0.4


def test_new_texts_are_new() -> None:
    """Every memory is filled by scoring and empty afterwards; one that is added later would make "new" untrue."""
    memories = [meteor._synonyms, meteor._stem, tokens._ends_sentence]
    bench.forget()
    assert not tokens._known and not tokens._endings
    assert all(memory.cache_info().currsize == 0 for memory in memories)
    texts = [f"{text} (e.g. 3 p.m.) Dr. Ames" for pair in PAIRS for text in pair]
    meteor.score(texts[::2], texts[1::2])
    assert tokens._known and tokens._endings
    assert all(memory.cache_info().currsize for memory in memories)
    caches = {
        value
        for module in (meteor, tokens)
        for value in vars(module).values()
        if hasattr(value, "cache_info") and value.__module__ == module.__name__
    }
    assert caches == {*memories, tokens._sentences, tokens._words}, "the last two hold objects, not texts"


def test_the_ratios_of_the_sample() -> None:
    found = bench.run(Sizes(limit=6, rounds=1))
    assert [one.name for one in found] == [f"beside NLTK, {name}" for name in ("new texts", "known words")]
    well_formed(dict(found[0].details), 6)
    assert found[0].bar == 20 and found[0].why and found[1].bar is None


def test_reads_pairs_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text('input,mistral_output,phi-2_output,phi-2_output_fine-tuned\nx,r1,"b,1",t1\nx,r2,,t2\n')
    assert bench.read_pairs(file) == [("b,1", "r1"), ("t1", "r1"), ("t2", "r2")]
    file.write_text("candidate,reference\nc,r\n")
    assert bench.read_pairs(file) == [("c", "r")]


def test_a_file_without_pairs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    with pytest.raises(InputError, match="cannot be read"):
        bench.read_pairs(file)
    file.write_text("text\nc\n")
    with pytest.raises(InputError, match="candidate and reference"):
        bench.read_pairs(file)
    with pytest.raises(InputError, match="needs a pair"):
        bench.meteor([])


def test_the_limit_is_spread_over_the_file() -> None:
    items = [(str(number), "") for number in range(10)]
    assert [pair[0] for pair in bench._spread(items, 4)] == ["0", "2", "5", "7"]
    assert bench._spread(items, 0) == items == bench._spread(items, 99)
