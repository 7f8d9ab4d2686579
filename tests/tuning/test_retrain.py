"""A shop whose customers begin to say "brick" for bad: noticed, learned, used, taken back."""

from __future__ import annotations

import contextlib
import csv
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import run
from pipeline.cli import main
from pipeline.core import profile
from pipeline.core.errors import InputError
from pipeline.core.warehouse import models_path, open_read_only
from pipeline.ingest.understanding import IngestOptions
from pipeline.tuning import champion, retrain
from pipeline.tuning.retrain import KEPT, PROMOTED, ROLLED_BACK, Gain

OLD, LATER, DRIFTED = 300, 50, 100
WIDTH = 32


def bag_of_words(text: str) -> bytes:
    """A vector that says which words a text has, as the reader's does and the fake one's does not."""
    values = np.zeros(WIDTH)
    for word in text.lower().replace(",", " ").replace(".", " ").split():
        values[zlib.crc32(word.encode()) % WIDTH] += 0.0 if word.isdigit() else 1.0
    return (values / np.linalg.norm(values)).astype(np.float16).tobytes()


class Shop:
    """Its growing file, and a warehouse beside it."""

    def __init__(self, folder: Path) -> None:
        self.file, self.path = folder / "reviews.csv", folder / "w.duckdb"
        self.profile_file = folder / "shop.toml"
        self.profile_file.write_text('extends = "embedded"\n[reader]\nbackend = "fake"\n[emotions]\nbackend = "fake"\n')
        self.profile = profile.load(str(self.profile_file))
        self.rows: list[tuple[str, int, str]] = []

    def hears(self, count: int, bad: str = "bad") -> None:
        for n in range(len(self.rows), len(self.rows) + count):
            word, stars = ((bad, 1), ("lovely", 5))[n % 2]
            self.rows.append((f"The soup was {word} on day {n}.", stars, "en"))
        with self.file.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "stars", "language"), *self.rows])

    def reads(self) -> run.RunResult:
        used = champion.in_use(self.profile, self.path)
        return run.run([str(self.file)], self.path, used, IngestOptions(), until="sentiment")

    def ask(self, sql: str) -> list[dict[str, Any]]:
        with contextlib.closing(open_read_only(self.path)) as warehouse:
            return warehouse.query(sql)

    def says(self, word: str) -> set[str]:
        found = self.ask("SELECT r.text, s.text_label FROM reviews r JOIN sentiment s USING (review_id)")
        return {row["text_label"] for row in found if word in row["text"]}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was decided, night by night."""
    patch = pytest.MonkeyPatch()
    patch.setattr("pipeline.backends.fake._vector", bag_of_words)
    shop = Shop(tmp_path_factory.mktemp("shop"))
    found: dict[str, Any] = {"shop": shop}
    for name, count, bad in (("first", OLD, "bad"), ("quiet", LATER, "bad"), ("drift", DRIFTED, "brick")):
        shop.hears(count, bad)
        shop.reads()
        found[name] = retrain.retrain(shop.path, shop.profile)
    found["before"] = shop.says("brick")
    found["reads"] = shop.reads()
    found["after"] = shop.says("brick")
    found["again"] = retrain.retrain(shop.path, shop.profile)
    found["spec"] = shop.ask(
        "SELECT f.spec_json FROM fingerprint f JOIN store.current c USING (fingerprint) WHERE f.stage = 'sentiment'"
    )
    patch.undo()
    return found


def test_a_challenger_that_is_not_better_is_not_used(nights: dict[str, Any]) -> None:
    assert nights["first"].decision == KEPT and nights["first"].model == ""
    assert "none was learned from" in nights["first"].why and "not clearly better" in nights["first"].why
    assert nights["first"].gains[0]["champion"] == 1.0


def test_a_quiet_night_fits_and_records_nothing(nights: dict[str, Any]) -> None:
    assert nights["quiet"].decision is None and nights["quiet"].run_id is None
    assert f"{LATER} new labels (it takes 200), and nothing has drifted" in nights["quiet"].why


def test_drift_is_noticed_learned_from_and_used_from_the_next_run_on(nights: dict[str, Any]) -> None:
    drift = nights["drift"]
    assert drift.decision == PROMOTED and "of the new ones are right, 1.000 of the old ones were" in drift.why
    gains = {one["rows"]: one for one in drift.gains}
    assert set(gains) >= {"all", "negative", "en"}
    assert gains["all"]["ci_low"] > 0 and gains["negative"]["gain"] > gains["all"]["gain"]
    assert nights["before"] == {"positive"} and nights["after"] == {"negative"}
    stages = {stage.name: stage.written for stage in nights["reads"].stages}
    assert stages == {"read": 0, "sentiment": OLD + LATER + DRIFTED}, "no review is read again"
    assert '"head"' in nights["spec"][0]["spec_json"]
    assert nights["again"].decision is None


def test_every_decision_is_in_the_warehouse(nights: dict[str, Any]) -> None:
    rows = nights["shop"].ask("SELECT m.*, r.kind FROM models m JOIN runs r USING (run_id) ORDER BY r.number")
    assert [row["decision"] for row in rows[:2]] == [KEPT, PROMOTED] and {row["kind"] for row in rows} == {"retrain"}
    assert [row["head"] is None for row in rows[:2]] == [True, False]
    assert rows[1]["gains"] == nights["drift"].gains and rows[1]["champion"] == ""
    assert rows[1]["new_labels"] == LATER + DRIFTED


def test_the_weights_come_from_the_warehouse_if_their_file_is_lost(nights: dict[str, Any]) -> None:
    shop = nights["shop"]
    (file,) = models_path(shop.path).glob("head-*.json")
    before = file.read_bytes()
    for damage in (lambda: file.unlink(), lambda: file.write_text("{")):
        damage()
        assert champion.in_use(shop.profile, shop.path).sentiment.head == str(file) and file.read_bytes() == before


def test_a_profile_with_its_own_sentiment_keeps_it(nights: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('extends = "embedded"\n[sentiment]\nbackend = "fake"\n')
    own = profile.load(str(file))
    assert champion.in_use(own, nights["shop"].path) == own
    with pytest.raises(InputError, match="of its own"):
        retrain.retrain(nights["shop"].path, own)
    assert main(["nightly", "--retrain", "--profile", str(file), "--reviews", str(nights["shop"].file)]) == 2


def test_another_reader_does_not_carry_the_head_of_the_old_one(
    nights: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.backends.registry.reader_identity", lambda section: "other weights")
    shop = nights["shop"]
    assert champion.in_use(shop.profile, shop.path).sentiment.head == ""


def test_one_command_takes_it_back(nights: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    shop = nights["shop"]
    back = ["retrain", "--rollback", "--warehouse", str(shop.path), "--profile", str(shop.profile_file)]
    assert main([*back, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["decision"] == ROLLED_BACK and told["model"] == ""
    assert champion.in_use(shop.profile, shop.path) == shop.profile
    shop.reads()
    assert shop.says("brick") == {"positive"}
    assert main(back) == 2 and "Nothing to roll back" in capsys.readouterr().err
    forced = ["retrain", "--force", "--warehouse", str(shop.path), "--profile", str(shop.profile_file)]
    assert main(forced) == 0 and "retrain: promoted: 0 new labels" in capsys.readouterr().out
    assert champion.in_use(shop.profile, shop.path) != shop.profile


def test_corrections_go_before_stars(tmp_path: Path, fake_profile: profile.Profile) -> None:
    shop = Shop(tmp_path)
    shop.hears(300)
    shop.reads()
    ids = [row["review_id"] for row in shop.ask("SELECT review_id FROM reviews WHERE stars = 1 ORDER BY review_id")]
    file = tmp_path / "mended.csv"
    file.write_text("\n".join(["review_id,sentiment", *(f"{one},positive" for one in ids)]))
    outcome = retrain.retrain(shop.path, shop.profile, file)
    assert outcome.decision == PROMOTED and {one["rows"] for one in outcome.gains} >= {"all", "new"}
    assert outcome.gains[0]["champion"] < 0.6 and outcome.gains[0]["challenger"] == 1.0
    assert shop.ask("SELECT corrections FROM models") == [{"corrections": len(ids)}]
    file.write_text("review_id,sentiment\nx,splendid\n")
    with pytest.raises(InputError, match="no sentiment"):
        retrain.retrain(shop.path, shop.profile, file)


def test_a_few_labels_are_not_worth_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.hears(40)
    shop.reads()
    outcome = retrain.retrain(shop.path, shop.profile)
    assert outcome.decision is None and "40 labelled reviews" in outcome.why
    with pytest.raises(InputError, match="50 are needed"):
        retrain.retrain(shop.path, shop.profile, force=True)


def test_reviews_that_the_reader_was_trained_on_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.text.duplicates.trained_on", lambda texts, folder: [True] * len(texts))
    shop = Shop(tmp_path)
    shop.hears(220)
    shop.reads()
    outcome = retrain.retrain(shop.path, shop.profile)
    assert outcome.decision is None and "from its own training" in outcome.why


def test_a_night_ends_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path)
    shop.profile_file.write_text(shop.profile_file.read_text() + '[feedback]\nbackend = "fake"\n')
    shop.hears(20)
    monkeypatch.chdir(tmp_path)
    night = ["nightly", "--profile", "shop.toml", "--reviews", "reviews.csv", "--json"]
    assert main([*night, "--corrections", "mended.csv"]) == 2, "they would be of no use"
    capsys.readouterr()
    assert main([*night, "--retrain"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["retrain"]["decision"] is None and "20 labelled reviews" in told["retrain"]["why"]


def gain(rows: str, low: float, high: float) -> Gain:
    return Gain(rows=rows, n=100, champion=0.5, challenger=0.5, gain=(low + high) / 2, ci_low=low, ci_high=high)


@pytest.mark.parametrize(
    ("gains", "is_better"),
    [
        ([gain("all", 0.01, 0.1), gain("neutral", -0.1, 0.02)], True),
        ([gain("all", -0.01, 0.1)], False),
        ([gain("all", -0.01, 0.1), gain("new", 0.01, 0.2)], True),
        ([gain("all", -0.01, 0.1), gain("en", 0.01, 0.2)], False),
        ([gain("all", 0.01, 0.1), gain("de", -0.1, -0.01)], False),
    ],
)
def test_better_on_all_or_on_what_is_new_and_clearly_worse_on_no_part(gains: list[Gain], is_better: bool) -> None:
    assert retrain._decide(gains)[0] is is_better
