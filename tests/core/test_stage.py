from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.profile import Profile
from pipeline.core.stage import Context, InThisProcess, Row, Stage, Unfinished, fingerprint, run_stage
from pipeline.core.warehouse import Warehouse
from pipeline.stages import STAGES
from pipeline.stages.distill import SPLITS, split_of
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from tests.factory import review

MODELS = Path("models")


def fill(warehouse: Warehouse, count: int, start: int = 0) -> None:
    warehouse.append("store.reviews", [review(f"Review number {n}, a bad one.") for n in range(start, start + count)])


def test_stages_are_in_the_contract_s_order() -> None:
    assert [stage.name for stage in STAGES] == [
        "read",
        "sentiment",
        "emotions",
        "themes",
        "discover",
        "feedback",
        "distill",
        "generate",
        "score",
    ]


def test_parents_come_before_their_children() -> None:
    for index, stage in enumerate(STAGES):
        assert all(parent in STAGES[:index] for parent in stage.parents), stage.name


def test_a_second_run_writes_nothing_and_transforms_nothing(warehouse: Warehouse, fake_profile: Profile) -> None:
    fill(warehouse, 10)
    first = run_stage(SENTIMENT, fake_profile, warehouse, "r1", MODELS)
    assert (first.pending, first.written, first.failed) == (10, 10, 0)

    def never(rows: Sequence[Row], context: Context) -> Sequence[Row]:
        raise AssertionError("nothing was pending")

    again = run_stage(dataclasses.replace(SENTIMENT, transform=never), fake_profile, warehouse, "r2", MODELS)
    assert (again.pending, again.written) == (0, 0)
    fill(warehouse, 3, start=10)
    assert run_stage(SENTIMENT, fake_profile, warehouse, "r3", MODELS).written == 3


def test_a_batch_that_fails_stays_pending_and_the_others_are_kept(warehouse: Warehouse, fake_profile: Profile) -> None:
    fill(warehouse, 10)
    calls = []

    def breaks_on_the_third(rows: Sequence[Row], context: Context) -> Sequence[Row]:
        calls.append(len(rows))
        if len(calls) == 3:
            raise ConnectionError("gone")
        return SENTIMENT.transform(rows, context)

    stage = dataclasses.replace(SENTIMENT, transform=breaks_on_the_third, batch_size=4)
    with pytest.raises(ConnectionError):
        run_stage(stage, fake_profile, warehouse, "r", MODELS)
    assert warehouse.value("SELECT count(*) FROM store.sentiment") == 8
    assert run_stage(SENTIMENT, fake_profile, warehouse, "r", MODELS).written == 2


def test_what_was_done_before_an_error_is_kept(warehouse: Warehouse, fake_profile: Profile) -> None:
    fill(warehouse, 6)

    def ends_half_way(rows: Sequence[Row], context: Context) -> Sequence[Row]:
        raise Unfinished(SENTIMENT.transform(rows[:4], context)) from ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        run_stage(dataclasses.replace(SENTIMENT, transform=ends_half_way), fake_profile, warehouse, "r", MODELS)
    assert warehouse.value("SELECT count(*) FROM store.sentiment") == 4
    assert run_stage(SENTIMENT, fake_profile, warehouse, "r", MODELS).written == 2


def test_a_transform_that_loses_a_row_is_a_bug_that_shows(warehouse: Warehouse, fake_profile: Profile) -> None:
    fill(warehouse, 3)
    stage = dataclasses.replace(SENTIMENT, transform=lambda rows, context: SENTIMENT.transform(rows, context)[1:])
    with pytest.raises(AssertionError, match="lost 1 of 3"):
        run_stage(stage, fake_profile, warehouse, "r", MODELS)
    assert warehouse.value("SELECT count(*) FROM store.sentiment") == 0


def test_two_versions_live_side_by_side_and_the_view_shows_the_current(
    warehouse: Warehouse, fake_profile: Profile
) -> None:
    fill(warehouse, 2)
    run_stage(SENTIMENT, fake_profile, warehouse, "r", MODELS)
    other = dataclasses.replace(fake_profile, sentiment=dataclasses.replace(fake_profile.sentiment, languages=("de",)))
    run_stage(SENTIMENT, other, warehouse, "r", MODELS)
    assert warehouse.value("SELECT count(*) FROM store.sentiment") == 4
    assert warehouse.query("SELECT DISTINCT label FROM sentiment") == [{"label": None}]
    assert run_stage(SENTIMENT, fake_profile, warehouse, "r", MODELS).written == 0, "going back costs nothing"
    assert warehouse.query("SELECT DISTINCT label FROM sentiment") == [{"label": "negative"}]


def changed(profile: Profile, section: str, **values: Any) -> set[str]:
    """Names of the stages whose fingerprint differs once a setting is changed."""
    other = dataclasses.replace(profile, **{section: dataclasses.replace(getattr(profile, section), **values)})
    return {stage.name for stage in STAGES if fingerprint(stage, profile) != fingerprint(stage, other)}


def test_a_change_re_runs_what_depends_on_it_and_nothing_else(fake_profile: Profile, tmp_path: Path) -> None:
    downstream = {"feedback", "distill", "generate", "score"}
    assert changed(fake_profile, "sentiment", languages=("de",)) == {"sentiment", "discover"} | downstream
    assert changed(fake_profile, "reader", backend="embedded") == {stage.name for stage in STAGES}
    assert changed(fake_profile, "emotions", threshold=0.1, thresholds={"joy": 0.9}) == {"emotions"} | downstream
    assert changed(fake_profile, "feedback", max_stars=2.0) == downstream
    assert changed(fake_profile, "feedback", timeout=5.0) == set(), "speed only"
    assert changed(fake_profile, "generate", temperature=0.9) == {"generate", "score"}
    assert changed(fake_profile, "score", pool=50) == {"score"}
    recipe = tmp_path / "rank.yaml"
    recipe.write_text((Path("pipeline/recipes/embedded.yaml")).read_text().replace("r: 16", "r: 8"))
    assert changed(fake_profile, "distill", recipe=str(recipe)) == {"distill", "generate", "score"}


def test_a_further_round_trains_further_without_forgetting_the_first(fake_profile: Profile) -> None:
    assert changed(fake_profile, "distill", rounds=2) == {"generate", "score"}


def test_fingerprints_can_be_read_again(warehouse: Warehouse, fake_profile: Profile) -> None:
    fill(warehouse, 1)
    result = run_stage(SENTIMENT, fake_profile, warehouse, "r", MODELS)
    (row,) = warehouse.query("SELECT * FROM fingerprint")
    assert (row["fingerprint"], row["stage"], row["parents"]) == (
        result.fingerprint,
        "sentiment",
        [fingerprint(READ, fake_profile)],
    )
    assert '"languages": ["en"]' in row["spec_json"]


def test_splits_have_their_shares_and_depend_on_the_review_alone() -> None:
    import hashlib

    ids = [hashlib.sha256(str(n).encode()).hexdigest()[:16] for n in range(5000)]
    for split, share in SPLITS.items():
        assert abs(sum(split_of(review_id) == split for review_id in ids) / 50 - share) < 2


def test_unreadable_languages_get_no_guess(warehouse: Warehouse, fake_profile: Profile) -> None:
    warehouse.append(
        "store.reviews", [review("Das war leider gar nichts.", language="de"), review("好吃", language=None)]
    )
    result = run_stage(SENTIMENT, fake_profile, warehouse, "r", MODELS)
    assert result.written == 2 and result.failed == 2 and "language" in str(result.error)
    rows = warehouse.query("SELECT label, positive, error FROM sentiment")
    assert all(row["label"] is None and row["positive"] is None and "language" in row["error"] for row in rows)


def test_an_engine_is_asked_for_pending_rows_of_stages_that_travel(warehouse: Warehouse, fake_profile: Profile) -> None:
    asked: list[str] = []

    class Elsewhere(InThisProcess):
        def transformed(
            self, stage: Stage, batches: Sequence[Sequence[Row]], context: Context
        ) -> Iterator[Sequence[Row]]:
            asked.append(stage.name)  # only once somebody wants the first batch
            yield from super().transformed(stage, batches, context)

    warehouse.append("store.reviews", [review("The soup was cold.")])
    for stage in (READ, SENTIMENT, READ):  # the last time nothing is pending
        run_stage(stage, fake_profile, warehouse, "r", MODELS, engine=Elsewhere())
    assert asked == ["read"]


def test_stage_needs_no_more_than_its_declared_fields() -> None:
    assert [field.name for field in dataclasses.fields(Stage)] == [
        "name",
        "unique_key",
        "spec",
        "transform",
        "parents",
        "params",
        "batch_size",
        "outlives_text",
        "prepare",
        "finish",
        "travels",
    ]
