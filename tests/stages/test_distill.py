"""The training set never teaches what it later asks, in the same words or in others."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import AuditFailed
from pipeline.core.profile import Profile
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse, audit
from pipeline.stages.distill import SPLITS, _drop_leaks, freeze, split_of, transform
from pipeline.text import duplicates
from tests.factory import review

# Each is about something else, so that no two are near-duplicates.
SUBJECTS = (
    *("soup bowl", "front desk", "left shoe", "car hire", "hair dryer", "pizza oven", "train seat", "phone line"),
    *("garden chair", "winter coat", "night bus", "coffee mill", "ticket office", "swimming pool", "spare key"),
    *("parcel van", "desk lamp", "fish market", "rain jacket", "ferry crossing", "nail salon", "bread knife"),
)


def text_about(subject: str) -> str:
    first, second = subject.split()
    return f"About {subject}: {first} came {second} late, then {second} broke {first} twice, no {first} refund for {second}."


def prepare(warehouse: Warehouse, texts: list[str]) -> list[dict[str, Any]]:
    """Unhappy reviews with the teacher's feedback."""
    rows = [review(text, stars=1.0) for text in texts]
    warehouse.append("store.reviews", rows)
    stages = ("sentiment", "emotions", "themes", "feedback", "distill", "generate", "score")
    warehouse.append("store.current", [{"stage": stage, "fingerprint": "f"} for stage in stages])
    warehouse.append(
        "store.feedback",
        [
            {
                "review_id": row["review_id"],
                "fingerprint": "f",
                "run_id": "r",
                "model": "m",
                "role": "teacher",
                "text": "1. Say sorry.",
                "suggestions": ["Say sorry."],
                "truncated": False,
            }
            for row in rows
        ],
    )
    return rows


@pytest.fixture
def context(warehouse: Warehouse, fake_profile: Profile, tmp_path: Path) -> Context:
    return Context(fake_profile, warehouse, "r", "f", tmp_path)


def split(warehouse: Warehouse, review_id: str) -> str | None:
    found: str | None = warehouse.value("SELECT split FROM training_set WHERE review_id = ?", [review_id])
    return found


def test_near_duplicates_of_test_reviews_are_not_trained_on(context: Context, warehouse: Warehouse) -> None:
    texts = [text_about(subject) for subject in SUBJECTS]
    copies = [text.replace("About", "It is about").rstrip(".") + ", and that was that!" for text in texts]
    rows = prepare(warehouse, texts + copies)
    frozen = freeze(context, 1)
    pairs = list(zip(rows, rows[len(texts) :], strict=False))
    assert {split_of(a["review_id"]) for a in rows} == {"train", "validation", "test"}
    crossed = [p for p in pairs if (split_of(p[0]["review_id"]) == "test") != (split_of(p[1]["review_id"]) == "test")]
    assert crossed, "the test needs pairs that the hash puts on both sides"
    for pair in crossed:
        kept = {split(warehouse, row["review_id"]) for row in pair}
        assert kept == {"test", None}
    assert len(frozen) == len(rows) - len(crossed)
    assert warehouse.query("SELECT * FROM training_leaks") == []
    assert freeze(context, 1) == frozen, "frozen is frozen"


def test_nothing_but_copies_of_test_reviews_is_an_error_and_no_crash(context: Context, warehouse: Warehouse) -> None:
    prepare(warehouse, [f"{text_about('soup bowl')} Table {number}." for number in range(30)])
    (row,) = transform([{"round": 1}], context)
    assert "nothing to train on" in row["error"]


def test_a_later_round_gives_up_a_test_review_that_was_trained_on(context: Context, warehouse: Warehouse) -> None:
    first, second = prepare(warehouse, [text_about("soup bowl"), text_about("soup bowl") + " Never again."])
    key = {"fingerprint": "f", "run_id": "r", "prompt": "", "completion": ""}
    warehouse.append("store.training_set", [{**key, "review_id": first["review_id"], "split": "train", "round": 1}])
    warehouse.append("store.training_set", [{**key, "review_id": second["review_id"], "split": "test", "round": 2}])
    _drop_leaks(context, 2)
    assert split(warehouse, first["review_id"]) == "train" and split(warehouse, second["review_id"]) is None


@pytest.mark.parametrize(
    ("asked", "trained"),
    [
        (text_about("soup bowl"), text_about("soup bowl").upper() + " Never again, I say."),
        ("Bad service!", "bad service..."),
        ("这家餐厅的服务很差我再也不会来了", "这家餐厅的服务很差，我再也不会来了！真的"),
    ],
)
def test_a_planted_leak_is_caught_by_the_audit(warehouse: Warehouse, asked: str, trained: str) -> None:
    rows = prepare(warehouse, [asked, trained])
    warehouse.execute("DELETE FROM store.feedback")
    key = {"fingerprint": "f", "run_id": "r", "prompt": "", "completion": "", "round": 1}
    warehouse.append("store.training_set", [{**key, "review_id": rows[0]["review_id"], "split": "test"}])
    for stage in ("sentiment", "emotions"):
        errors = [
            {"review_id": row["review_id"], "fingerprint": "f", "run_id": "r", "model": "m", "error": "e"}
            for row in rows
        ]
        warehouse.append(f"store.{stage}", errors)
    warehouse.append(
        "store.themes",
        [{"review_id": row["review_id"], "fingerprint": "f", "run_id": "r", "theme": ""} for row in rows],
    )
    audit(warehouse)
    warehouse.append("store.training_set", [{**key, "review_id": rows[1]["review_id"], "split": "train"}])
    with pytest.raises(AuditFailed, match="no_near_duplicate_was_trained_on"):
        audit(warehouse)


def test_what_the_base_was_trained_on_is_never_asked(
    context: Context, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = prepare(warehouse, [text_about(subject) for subject in SUBJECTS])
    would_be = [row["review_id"] for row in rows if split_of(row["review_id"]) == "test"]
    known = {row["text"] for row in rows if row["review_id"] in would_be[:1]}
    monkeypatch.setattr(duplicates, "trained_on", lambda texts, folder: [text in known for text in texts])
    freeze(context, 1)
    assert split(warehouse, would_be[0]) == "train"
    assert {split(warehouse, review_id) for review_id in would_be[1:]} == {"test"}


def test_each_split_gets_its_share_though_the_base_has_seen_most_reviews(
    context: Context, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = [f"{a.split()[0]} {b.split()[1]}" for a in SUBJECTS[:11] for b in SUBJECTS[11:]]
    rows = prepare(warehouse, [text_about(subject) for subject in subjects])
    seen = {row["text"]: int(row["review_id"][-1], 16) > 7 for row in rows}
    monkeypatch.setattr(duplicates, "trained_on", lambda texts, folder: [seen[text] for text in texts])
    few = dataclasses.replace(context.profile, distill=dataclasses.replace(context.profile.distill, max_examples=30))
    frozen = freeze(dataclasses.replace(context, profile=few), 1)
    assert {split: sum(row["split"] == split for row in frozen) for split in SPLITS} == {
        "test": 6,
        "validation": 3,
        "train": 21,
    }
    tests = {row["review_id"] for row in frozen if row["split"] == "test"}
    assert not any(seen[row["text"]] for row in rows if row["review_id"] in tests)
