"""The WordNet table equals NLTK's reader over the original files."""

from __future__ import annotations

import csv
import lzma
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.metrics import wordnet
from pipeline.tools import build_wordnet

IRREGULAR = """
    geese mice children teeth feet oxen axes indices criteria data matrices alto-relievos ran went better best worse
    worst further farther geologies abaci aardwolves churches boxes quizzes flies tried studying lying dying running
    swam broken was were is are been being am has had did done does bought sold men women policemen glasses scissors
    news happier happiest bigger nicest dowier hardest deeper fishes leaves wolves knives ladies heroes potatoes
"""
OWN = """
    dog bank set run break point Paris paris U.S. us o'clock well-being waiter refund apologize apologise colour color
    delicious the of and x 24/7 twenty-one ad_hoc ice_cream hot_dog a s es ed ing er est ies men ches
    . , 's n't _ é ß 网 .22-caliber 'hood good well able full first left
"""


def lemmas(synsets: list[Any]) -> list[list[str]]:
    return [[lemma.name() for lemma in synset.lemmas()] for synset in synsets]


def words_of(folder: Path) -> Iterator[str]:
    csv.field_size_limit(10**8)
    files = ["seed/yelp_mistral_999.csv", "seed/phi2_vs_mistral_500.csv", "metrics/stsb-en-dev.csv"]
    for file in [*files, "metrics/wmt17/testset_cs-en.tsv", "reviews/yelp.csv", "reviews/tripadvisor.csv"]:
        yield from re.findall(r"[^\s\"(),;:!?]+", (folder / file).read_text(encoding="utf-8", errors="replace"))


def test_finds_what_is_known_of_wordnet() -> None:
    net = wordnet.load()
    assert [names[0] for names in lemmas(net.synsets("geese"))] == ["goose", "fathead", "goose"]
    assert lemmas(net.synsets("refund"))[0] == ["refund"]
    assert ["good"] in lemmas(net.synsets("better"))
    assert lemmas(net.synsets("car"))[0] == ["car", "auto", "automobile", "machine", "motorcar"]
    assert {"apologize", "apologise"} <= net.synonyms("apologizing")
    assert net.synsets("qwertz") == [] and net.synonyms("") == set()


@pytest.mark.parametrize("word", ["dog n", "dog n2", "a\nn", "\n", " ", "\ud800"])
def test_a_word_cannot_reach_into_the_table(word: str) -> None:
    assert wordnet.load().synsets(word) == []


def test_loads_fast() -> None:
    times = []
    for _ in range(3):
        start = time.process_time()
        wordnet.load.__wrapped__()
        times.append(time.process_time() - start)
    assert min(times) < 0.5


def test_equals_nltk_on_irregular_and_odd_words(nltk_wordnet: Any) -> None:
    net = wordnet.load()
    for word in [*IRREGULAR.split(), *OWN.split()]:
        assert lemmas(net.synsets(word)) == lemmas(nltk_wordnet.synsets(word)), word


def test_equals_nltk_on_every_irregular_form(nltk_wordnet: Any) -> None:
    net = wordnet.load()
    forms = {form for exceptions in nltk_wordnet._exception_map.values() for form in exceptions}
    assert len(forms) > 5000
    for form in forms:
        assert lemmas(net.synsets(form)) == lemmas(nltk_wordnet.synsets(form)), form


@pytest.mark.slow
def test_equals_nltk_on_every_word_of_the_test_texts(nltk_wordnet: Any, shared_data: Path) -> None:
    net = wordnet.load()
    words = set(words_of(shared_data))
    assert len(words) > 50_000
    for word in words:
        theirs = nltk_wordnet.synsets(word)
        assert lemmas(net.synsets(word)) == lemmas(theirs), word
        assert net.synonyms(word) == {lemma.name() for synset in theirs for lemma in synset.lemmas()}, word


def test_the_table_is_what_the_build_makes(debian_wordnet: Path) -> None:
    assert build_wordnet.table(debian_wordnet) == lzma.decompress(wordnet.TABLE.read_bytes()).decode()
    shipped = (wordnet.TABLE.parent / build_wordnet.LICENSE_NAME).read_text()
    assert build_wordnet.licence(debian_wordnet) == shipped


def test_builds_and_reads_a_small_wordnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two nouns that share a synset, an adjective with a marker, a satellite, and an irregular plural."""
    files = {
        "data.noun": "  1 Some licence  \n  2   \n00000010 05 n 02 mouse 0 Maus 1 000 | a rodent\n"
        "00000020 06 n 01 mouse 1 000 | a device\n",
        "index.noun": "  1 Some licence\nmaus n 1 0 1 0 00000010  \nmouse n 2 0 2 1 00000020 00000010  \n",
        "noun.exc": "mice mouse\n",
        "data.adj": "00000010 00 a 01 awake(p) 0 000 | not asleep\n00000030 00 s 01 grey 0 000 | of a colour\n",
        "index.adj": "awake a 1 0 1 0 00000010  \ngrey a 1 0 1 0 00000030  \n",
    }
    for name in ("verb", "adv"):
        files |= {f"data.{name}": "", f"index.{name}": "", f"{name}.exc": ""}
    for name, text in (files | {"adj.exc": ""}).items():
        (tmp_path / name).write_text(text)
    out = tmp_path / "new" / "wordnet.txt.xz"
    build_wordnet.build(tmp_path, out)
    assert (out.parent / build_wordnet.LICENSE_NAME).read_text() == "Some licence\n\n"
    monkeypatch.setattr(wordnet, "TABLE", out)
    net = wordnet.load.__wrapped__()
    assert lemmas(net.synsets("Mice")) == [["mouse"], ["mouse", "Maus"]]
    assert lemmas(net.synsets("awake")) == [["awake"]]
    assert lemmas(net.synsets("greyer")) == [["grey"]]
    assert net.synonyms("maus") == {"mouse", "Maus"}


def test_the_table_is_small_and_licensed() -> None:
    assert wordnet.TABLE.stat().st_size < 3_000_000
    assert "Princeton University" in (wordnet.TABLE.parent / build_wordnet.LICENSE_NAME).read_text()


def test_a_build_without_wordnet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wordnet-base"):
        build_wordnet.build(tmp_path, tmp_path / "out.xz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not xz", lzma.compress(b"only one block")])
def test_a_damaged_table_says_what_to_do(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wordnet.txt.xz").write_bytes(content)
    monkeypatch.setattr(wordnet, "TABLE", tmp_path / "wordnet.txt.xz")
    with pytest.raises(InputError, match="Reinstall"):
        wordnet.load.__wrapped__()
