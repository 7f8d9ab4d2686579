"""Agreement with people: the reader, the correlations, and one slice of the real ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.metrics import meteor
from pipeline.tools import human

HEADER = "LP\tsource\ttranslation\treference\tHUMAN_score\tsentBLEU\n"
ROWS = [
    'xx-en\tein "Hund\tthe dog &apos;s bone\tthe dog &apos;s bone\t1.5\t0.9\n',
    "xx-en\tzwei\tthe old dog\ta very old dog indeed\t0.5\t0.4\n",
    "xx-en\tdrei\tno way\tthe train leaves at nine\t-1.25\t0.0\n",
    "xx-en\tvier\tthe train goes at nine\tthe train leaves at nine\t0.75\t0.5\n",
]


def write(folder: Path, text: str, name: str = "testset_xx-en.tsv") -> Path:
    (folder / "metrics" / "wmt17").mkdir(parents=True, exist_ok=True)
    (folder / "metrics" / "wmt17" / name).write_text(text, encoding="utf-8")
    return folder


def test_reads_segments_with_their_ratings(tmp_path: Path) -> None:
    segments = human.read(write(tmp_path, HEADER + "".join(ROWS)))
    assert len(segments) == 4
    assert segments[0] == human.Segment("xx-en", "the dog 's bone", "the dog 's bone", 1.5, 0.9)
    assert [segment.human for segment in segments] == [1.5, 0.5, -1.25, 0.75]


def test_agreement_per_pair_and_metric(tmp_path: Path) -> None:
    data = write(tmp_path, HEADER + "".join(ROWS))
    write(tmp_path, HEADER + "".join(ROWS).replace("xx-en", "yy-en"), "testset_yy-en.tsv")
    chosen: dict[str, human.Metric] = {
        "opposite": lambda candidates, references: [-value for value in meteor.score(candidates, references)],
        "METEOR": meteor.score,
    }
    found = human.agreement(human.read(data), chosen)
    assert [(row.pair, row.metric) for row in found] == [
        (pair, name) for pair in ("xx-en", "yy-en") for name in ("opposite", "METEOR", "sentBLEU (came with the data)")
    ]
    opposite, by_meteor, sentbleu = found[:3]
    assert opposite.pearson == pytest.approx(-by_meteor.pearson) and by_meteor.pearson > 0.5
    people = [1.5, 0.5, -1.25, 0.75]
    assert sentbleu.pearson == pytest.approx(np.corrcoef([0.9, 0.4, 0.0, 0.5], people)[0, 1])
    assert sentbleu.kendall == pytest.approx(1)
    assert sentbleu.n == 4 and sentbleu.low <= sentbleu.pearson <= sentbleu.high
    table = human.as_text(found)
    assert table.count("\n") == 4 and f"{by_meteor.pearson:.3f}" in table and "yy-en (n = 4)" in table
    assert len({line.count("|") for line in table.splitlines()}) == 1


def test_all_offline_metrics_run_and_stand_ins_are_named(tmp_path: Path) -> None:
    data = write(tmp_path, HEADER + "".join(ROWS))
    found = {row.metric: row for row in human.agreement(human.read(data))}
    assert len(found) == 6
    for name in ("METEOR", "BERTScore stand-in (MiniLM)", "cosine of MiniLM sentence embeddings"):
        assert found[name].pearson > 0.5, name
    assert all("stand-in" in name for name in found if "BLEURT" in name or "BERTScore" in name)


def test_length_ratio_knows_nothing_of_the_words() -> None:
    ratio = human.metrics()["ratio of lengths"]
    assert list(ratio(["a b", "a b c d", "", ""], ["x y", "x", "x", ""])) == [1, 0.25, 0, 0]


def test_correlations_of_ranks_with_a_tie() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 3.0]
    assert human.pearson(x, y) == pytest.approx(2.5 / np.sqrt(5 * 2.75))
    assert human.kendall(x, y) == pytest.approx(3 / np.sqrt(6 * 5)), "4 pairs agree, 1 does not, 1 is tied in y"
    assert np.isnan([human.pearson(x, [2.0] * 4), human.kendall([2.0] * 4, x), human.pearson([1.0], [2.0])]).all()


def test_a_metric_that_says_the_same_of_all_has_no_correlation(tmp_path: Path) -> None:
    chosen: dict[str, human.Metric] = {"constant": lambda candidates, references: [0.1] * len(candidates)}
    constant = human.agreement(human.read(write(tmp_path, HEADER + "".join(ROWS))), chosen)[0]
    assert np.isnan([constant.pearson, constant.low, constant.high, constant.kendall]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LP\ttranslation\treference\tsentBLEU\n", "no column HUMAN_score"),
        ("", "no column LP"),
        (HEADER + "xx-en\ta\tb\tc\tgood\t0.1\n", "line 2"),
        (HEADER + ROWS[0] + "xx-en\ta\tb\n", "line 3"),
    ],
)
def test_refuses_what_it_cannot_read(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        human.read(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_names_the_folder_it_misses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="metrics/wmt17"):
        human.read(tmp_path)


def test_meteor_follows_people(shared_data: Path) -> None:
    segments = [segment for segment in human.read(shared_data) if segment.pair == "de-en"][::4]
    by_meteor, by_length, sentbleu = human.agreement(
        segments, {"METEOR": meteor.score, "ratio of lengths": human.metrics()["ratio of lengths"]}
    )
    assert by_meteor.n == 140 and by_meteor.low > 0.2
    assert by_meteor.pearson > by_length.pearson
    assert sentbleu.pearson > 0.2
