from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.text.words import fold
from pipeline.tuning.labelled.labels import NAMED_MAPS
from pipeline.tuning.labelled.read import read_labelled
from pipeline.tuning.labelled.records import HUB, open_source
from pipeline.tuning.labelled.rows import Columns, Example, Labelled
from pipeline.tuning.labelled.split import class_weights, stratified_split, undersample

STARS = Columns("text", "stars")


def write(path: Path, rows: list[tuple[object, ...]], header: tuple[str, ...] = ("text", "stars", "language")) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.fixture
def starred(tmp_path: Path) -> str:
    return write(tmp_path / "r.csv", [(f"Visit number {n}", n % 5 + 1, "en" if n % 2 else "de") for n in range(60)])


def labelled(count: int, languages: tuple[str, ...] = ("en",)) -> Labelled:
    rows = tuple(Example(f"Text {n}", (n % 3,), languages[n % len(languages)], "x") for n in range(count))
    return Labelled("sentiment", SENTIMENTS, rows, count, {}, "")


def test_stars_become_classes(starred: str) -> None:
    data = read_labelled([starred], "sentiment", STARS, ["stars"])
    assert data.classes == SENTIMENTS and data.rows == 60
    assert Counter(example.classes for example in data.examples) == {(0,): 24, (1,): 12, (2,): 24}
    assert {example.language for example in data.examples} == {"en", "de"}


def test_stars_are_read_however_they_are_written(tmp_path: Path) -> None:
    texts = [("It was bad", "1 star"), ("It was so so", "3,0"), ("It was good", "★★★★★"), ("It was fine", "five")]
    data = read_labelled([write(tmp_path / "r.csv", texts, ("text", "stars"))], "sentiment", STARS, ["stars"])
    assert [SENTIMENTS[example.classes[0]] for example in data.examples] == [
        "negative",
        "neutral",
        "positive",
        "positive",
    ]


def test_pairs_map_values_and_leave_some_out(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", [("Good a", "1"), ("Bad b", "0"), ("No idea c", "-1")], ("text", "label"))
    data = read_labelled([file], "sentiment", None, ["0=negative", "1=positive", "-1="])
    assert data.classes == ("negative", "positive"), "two values, two classes: neutral is not asked for"
    assert data.dropped == {"label left out": 1}


def test_several_emotions_by_name_and_by_number(tmp_path: Path) -> None:
    every = [(f"Feeling {name}", name) for name in EMOTIONS]
    file = write(
        tmp_path / "r.csv", [*every, ("Both at once", "joy, Love"), ("As a list", "['anger']")], ("text", "label")
    )
    data = read_labelled([file], "emotions")
    assert data.classes == EMOTIONS
    assert data.examples[-2].classes == tuple(sorted((EMOTIONS.index("joy"), EMOTIONS.index("love"))))
    assert data.examples[-1].classes == (EMOTIONS.index("anger"),)
    numbered = tmp_path / "g.tsv"
    numbered.write_text("".join(f"Some text {n}\t{n},0\tid\n" for n in range(28)))
    by_number = read_labelled([str(numbered)], "emotions", Columns("1", "2"), ["goemotions"])
    assert by_number.examples[5].classes == (0, 5)


def test_a_folder_of_line_pairs_knows_its_languages(tmp_path: Path) -> None:
    for language, texts in (("german", "Schlecht\nGeht so\nSehr gut\n"), ("french", "Nul\nMoyen\u2028bof\nParfait")):
        folder = tmp_path / language
        folder.mkdir()
        (folder / "train_text.txt").write_text(texts, encoding="utf-8")
        (folder / "train_labels.txt").write_text("0\n1\n2\n")
    data = read_labelled([str(tmp_path)], "sentiment")
    assert Counter(example.language for example in data.examples) == {"de": 3, "fr": 3}
    (tmp_path / "german" / "train_labels.txt").write_text("0\n1\n")
    with pytest.raises(InputError, match=r"3 lines and .* has 2 labels"):
        read_labelled([str(tmp_path)], "sentiment")


def test_cleaning_counts_everything_it_leaves_out(tmp_path: Path) -> None:
    rows = [
        ("Fine soup", 5),
        ("fine  SOUP", 5),
        ("Odd", 1),
        ("odd", 5),
        ("", 3),
        ("!!!", 3),
        ("Meh", 3),
        ("Bad", 1),
        ("X", ""),
    ]
    data = read_labelled([write(tmp_path / "r.csv", rows, ("text", "stars"))], "sentiment", STARS, ["stars"])
    assert data.dropped == {
        "contradictory labels": 2,
        "duplicate": 1,
        "empty text": 1,
        "no label": 1,
        "no letters": 1,
    }
    assert data.rows == len(data.examples) + sum(data.dropped.values())
    assert {example.text for example in data.examples} == {"Fine soup", "Meh", "Bad"}


@pytest.mark.parametrize(
    ("columns", "labels", "classes", "says"),
    [
        (Columns("body", "stars"), ["stars"], [], "has no column 'body'. Its columns: text, stars, language"),
        (STARS, [], [], "values without a meaning"),
        (STARS, ["zodiac"], [], "--labels zodiac"),
        (STARS, ["1=awful"], [], "no class 'awful'"),
        (STARS, ["negative"], [], "VALUE=CLASS"),
        (STARS, ["1=negative", "5=positive"], [], "without a meaning: 2"),
        (
            STARS,
            ["1=negative", "2=negative", "3=negative", "4=positive", "5="],
            ["negative", "neutral", "positive"],
            "No row is labelled neutral",
        ),
        (STARS, ["stars"], ["negative", "positive"], "holds neutral"),
        (STARS, ["stars"], ["negative", "purple"], "no class 'purple'"),
        (STARS, ["1=negative", "2=negative", "3=negative", "4=", "5="], [], "two classes or more"),
    ],
)
def test_what_is_wrong_with_data_is_one_clear_line(
    starred: str, columns: Columns, labels: list[str], classes: list[str], says: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_labelled([starred], "sentiment", columns, labels, classes)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_words_without_one_class_are_an_error(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", [("Good one", "pos"), ("Bad one", "neg")], ("text", "label"))
    with pytest.raises(InputError, match="--classes negative,positive"):
        read_labelled([file], "sentiment")
    assert read_labelled([file], "sentiment", classes=["positive", "negative"]).classes == ("negative", "positive")


def test_a_file_that_is_not_there_names_what_would_be() -> None:
    with pytest.raises(InputError, match="Yelp/yelp_review_full") as caught:
        read_labelled(["nowhere.csv"], "sentiment")
    assert "--data" in str(caught.value) and "--reviews" not in str(caught.value)


def test_hub_sets_are_laid_out_as_their_maps_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row as the hub gives it: class labels by name, numbers where the column is a plain one."""
    rows = {
        "stanfordnlp/imdb": [{"text": "Bad film", "label": "neg"}, {"text": "Good film", "label": "pos"}],
        "tyqiangz/multilingual-sentiments": [
            {"text": f"{label} text", "source": "s", "language": "german", "label": label} for label in SENTIMENTS
        ],
        "hungnm/multilingual-amazon-review-sentiment-processed": [
            {"stars": "1", "text": "Mal", "language": "es", "label": "0"},
            {"stars": "5", "text": "Bien", "language": "es", "label": "1"},
        ],
        "Yelp/yelp_review_full": [
            {"label": f"{n} star{'s' if n > 1 else ''}", "text": f"Meal {n}"} for n in range(1, 6)
        ],
    }
    assert set(rows) == set(HUB)
    asked = []

    def load(source: str) -> object:
        asked.append(source)
        return iter(rows[source.removeprefix("hf:").split(":")[0]])

    monkeypatch.setattr("pipeline.ingest.sources.read_hub", load)
    for name, own in rows.items():
        data = read_labelled([name], "sentiment")
        assert len(data.examples) == len(own)
        two = name.startswith(("stanfordnlp", "hungnm"))
        assert data.classes == (("negative", "positive") if two else SENTIMENTS)
    assert all(source.startswith("hf:") for source in asked)


def test_named_maps_only_name_our_classes() -> None:
    for name, mapping in NAMED_MAPS.items():
        assert set(mapping.values()) <= set(EMOTIONS if name == "goemotions" else SENTIMENTS)


@given(st.integers(60, 400), st.integers(0, 5), st.sampled_from([1.0, 0.7, 0.5]))
def test_split_is_whole_stratified_and_without_overlap(count: int, seed: int, fraction: float) -> None:
    data = labelled(count, ("en", "de"))
    parts = stratified_split(data, seed=seed, fraction=fraction)
    texts = [example.text for part in parts.values() for example in part]
    assert len(texts) == len(set(texts)) and abs(len(texts) - count * fraction) <= 1
    assert abs(len(parts["test"]) - len(texts) * 0.1) <= 1
    assert abs(len(parts["validation"]) - len(texts) * 0.1) <= 1.5
    for example_class in range(3):
        share = sum(example.classes == (example_class,) for example in parts["train"]) / len(parts["train"])
        assert abs(share - 1 / 3) < 0.07


def test_split_depends_on_texts_and_seed_not_on_their_order() -> None:
    data = labelled(90)
    turned = Labelled("sentiment", SENTIMENTS, data.examples[::-1], 90, {}, "")
    assert stratified_split(data) == stratified_split(turned)
    assert stratified_split(data, seed=1) != stratified_split(data)


def test_a_split_without_a_class_is_an_error() -> None:
    with pytest.raises(InputError, match="Raise --fraction"):
        stratified_split(labelled(90), fraction=0.02)
    with pytest.raises(InputError, match="--fraction"):
        stratified_split(labelled(90), fraction=1.5)
    with pytest.raises(InputError, match="--validation"):
        stratified_split(labelled(90), validation=0.6, test=0.5)


def test_balance() -> None:
    rows = [Example(f"T{n}", (0 if n < 6 else 1 if n < 9 else 2,), "en", "x") for n in range(12)]
    assert Counter(row.classes for row in undersample(rows, 0)) == {(0,): 3, (1,): 3, (2,): 3}
    weights = class_weights(rows, 3, "sentiment")
    assert weights[0] < weights[1] == weights[2]
    assert sum(weights[row.classes[0]] for row in rows) / len(rows) == pytest.approx(1), "the loss keeps its size"
    several = [Example("a", (0, 1), "en", "x"), Example("b", (0,), "en", "x"), Example("c", (0,), "en", "x")]
    assert class_weights(several, 2, "emotions") == pytest.approx([0, 2**0.5])


def test_case_and_blanks_make_no_other_text() -> None:
    assert fold(" Great\n SOUP ") == fold("great soup")


def test_the_real_tweets(shared_data: Path) -> None:
    data = read_labelled([str(shared_data / "umsab")], "sentiment")
    assert len({example.language for example in data.examples}) == 8
    assert data.rows == len(data.examples) + sum(data.dropped.values()) == 17304


def test_an_address_is_refused_without_its_secrets() -> None:
    with pytest.raises(InputError, match="--data takes a file") as error:
        open_source("https://me:hunter2@host/rows.csv", Columns())
    assert "hunter2" not in str(error.value)
