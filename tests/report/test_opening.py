from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipeline.core.warehouse import open_read_only
from pipeline.report.content import EFFORTS, gather
from pipeline.report.opening import opening
from pipeline.report.render import template
from tests.report.test_report import DAY, write_warehouse

PAIN = {
    "theme": "waiting_time",
    "mentions": 30,
    "reviews": 90,
    "stars_effect": -1.24,
    "stars_effect_high": -0.8,
    "recent_to": DAY,
}
ACTION = {
    "name": "Kitchen falls behind",
    "reviews": 12,
    "who": "head chef",
    "effort": "talk",
    "action": "Cap orders at forty. Call a runner.",
}


def content(**changes: Any) -> dict[str, Any]:
    """What `gather` finds, as far as the opening reads it."""
    return {
        "headline": {"reviews": 100, "rating_only": 10, "negative_share": 0.4, "judged": 88},
        "changed": [],
        "labels": {"waiting_time": "Waiting time", "noise": "Noise"},
        "pains": [PAIN, PAIN | {"theme": "noise", "mentions": 4}, PAIN | {"theme": "lift_broken", "mentions": 2}],
        "worse": [],
        "better": [],
        "actions": [ACTION],
        "efforts": EFFORTS,
        "waiting": 3,
    } | changes


def said(**changes: Any) -> str:
    return "".join(piece.text for piece in opening(content(**changes)))


def test_it_says_what_hurts_and_what_to_do_first() -> None:
    assert said() == (
        "40 % of 88 reviews are negative. What hurts most is “Waiting time”: 30 of 90 reviews complain of it and give 1.2 stars "
        "less. Then come “Noise” (4) and “lift broken” (2). No complaint has clearly become more frequent. Begin with “Kitchen "
        "falls behind” (12 reviews; head chef; a talk with the team): Cap orders at forty. 3 reviews wait for an answer; drafts "
        "are below."
    )


def test_every_number_is_linked() -> None:
    for piece in opening(content()):
        assert piece.part or not re.search(r"[0-9]", piece.text), piece


def test_it_says_what_the_latest_run_changed() -> None:
    row = {
        "what": "negative",
        "before": 30,
        "share_new": 0.5,
        "share_before": 0.3,
        "change_low": 0.02,
        "change_high": 0.4,
    }
    assert "; of the new ones 50 %, before 30 %: clearly more than before." in said(changed=[row])
    assert ": no clear change." in said(changed=[row | {"change_low": -0.02}])
    assert ": clearly fewer than before." in said(changed=[row | {"change_low": -0.3, "change_high": -0.1}])
    assert "new ones" not in said(changed=[row | {"before": 0}])


def test_it_says_what_grows_and_what_fades() -> None:
    noise = {"theme": "noise", "recent_mentions": 9, "previous_mentions": 2}
    assert "“Noise” is getting worse or new: 9 now, 2 before." in said(worse=[noise])
    assert "clearly become" not in said(worse=[noise])
    assert "“Noise” is getting better: 9 now, 2 before." in said(better=[noise])


def test_an_effect_that_may_be_none_is_not_told() -> None:
    assert "stars" not in said(pains=[PAIN | {"stars_effect_high": 0.1}])


def test_without_complaints_or_words_nothing_is_made_up() -> None:
    quiet = said(pains=[], actions=[], waiting=0)
    assert quiet == "40 % of 88 reviews are negative. No complaints were found. "
    assert said(headline={"reviews": 10, "rating_only": 10}) == ""
    assert not said(headline={"reviews": 9, "rating_only": 0, "negative_share": None}).startswith("0")


def test_both_reports_open_with_it_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", [f"Waited {n} minutes." for n in range(25)])
    found = gather(open_read_only(path)) | {"day": DAY}
    page, text = (template(f"report.{kind}.jinja").render(found) for kind in ("html", "md"))
    assert "are negative. What hurts most is “Waiting time”: 25 of 25" in text, "with the blanks between its pieces"
    links = re.findall(r'<a href="#([a-z-]+)">', page.split('class="opening"')[1].split("</p>")[0])
    assert links
    for link in links:
        assert f'id="{link}"' in page
