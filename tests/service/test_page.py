from __future__ import annotations

import html.parser

import pytest
from fastapi.testclient import TestClient

from pipeline.service.routes.page import marked
from pipeline.service.settings import Settings
from tests.report.test_report import HOSTILE, write_warehouse


class Tags(html.parser.HTMLParser):
    """Tags and attributes of a page, and the text of its review."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.review, self._inside = "", False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside |= tag == "blockquote" and ("class", "review") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "blockquote"

    def handle_data(self, data: str) -> None:
        self.review += data if self._inside else ""


def test_the_form_works_without_a_script(client: TestClient) -> None:
    answer = client.post("/", data={"text": "Bad soup.\nWe waited an hour.", "stars": "1", "business": ""})
    assert answer.status_code == 200 and "<!doctype html>" in answer.text
    assert "What to do" in answer.text and "<mark" in answer.text and "Bad soup." in Tags(answer.text).review


def test_a_script_gets_the_part_that_changes(client: TestClient) -> None:
    answer = client.post("/", data={"text": "Bad soup."}, headers={"X-Fragment": "1"})
    assert answer.text.lstrip().startswith("<section") and "<html" not in answer.text


@pytest.mark.parametrize("data", [{}, {"text": "  "}, {"text": "12 %"}, {"text": "Fine", "stars": "eleven"}])
def test_what_is_wrong_is_said_beside_what_was_typed(client: TestClient, data: dict[str, str]) -> None:
    answer = client.post("/", data=data)
    assert answer.status_code == 422 and 'role="alert"' in answer.text and data.get("text", "") in answer.text


def test_a_hostile_review_stays_text_everywhere(fresh: TestClient, settings: Settings) -> None:
    text = (
        f"bad {HOSTILE} <pwned onload=alert(1)>"  # known tags are taken out of reviews, this one stays as it is written
    )
    answer = fresh.post("/", data={"text": text, "business": HOSTILE})
    write_warehouse(settings.warehouse, [HOSTILE])
    for page in (answer.text, fresh.get("/dashboard").text, fresh.get("/report/latest").text):
        found = Tags(page)
        assert "img" not in found.tags and found.tags.count("script") <= 1
        assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
        assert all((value or "").startswith("/") for name, value in found.attributes if name in ("src", "action"))
    assert "alert(1)" in Tags(answer.text).review


def test_the_dashboard_shows_the_warehouse(fresh: TestClient, settings: Settings) -> None:
    write_warehouse(settings.warehouse, ["We waited an hour.", "Nobody came for an hour."], apart=20)
    page = fresh.get("/dashboard").text
    for part in (
        "What hurts most",
        "Waiting time",
        "We waited an hour.",
        "Seat two tables every ten minutes.",
        "Week by week",
        "<svg",
    ):
        assert part in page


def test_nothing_is_fetched_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/dashboard", "/static/page.js", "/static/page.css"):
        text = client.get(path).text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text and "https://" not in text, path


def test_pieces_of_a_review_join_to_the_review_and_overlap() -> None:
    text = "Cold soup, slow waiter. Nice room."
    themes = [
        {"theme": name, "start": start, "end": end} for name, start, end in (("a", 0, 10), ("b", 0, 23), ("c", 24, 34))
    ]
    pieces = marked(text, themes)
    assert "".join(piece for piece, _ in pieces) == text
    assert [(piece, [theme["theme"] for theme in found]) for piece, found in pieces] == [
        ("Cold soup,", ["a", "b"]),
        (" slow waiter.", ["b"]),
        (" ", []),
        ("Nice room.", ["c"]),
    ]
