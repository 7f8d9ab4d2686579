"""The page in Debian's Chromium. `SCREENSHOTS=folder` keeps what it looked like."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.advice import votes
from pipeline.service.app import create_app
from pipeline.service.settings import Settings
from tests.report.test_report import HOSTILE, write_warehouse
from tests.service.conftest import KEY, Live

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1100, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs chromium (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    write_warehouse(settings.warehouse, ["We waited an hour for the soup.", HOSTILE], apart=20)
    with Live(create_app(settings)) as url:
        yield url


def open_page(browser: Any, url: str, size: dict[str, int] = DESK) -> Any:
    context = browser.new_context(viewport=size, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.faults = []
    page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    own = ("/".join(url.split("/")[:3]) + "/", "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else page.faults.append(request.url))
    page.goto(url)
    return page


def keep(page: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_one_review_from_paste_to_vote(browser: Any, address: str, settings: Settings) -> None:
    page = open_page(browser, address)
    page.fill("#text", f"Bad soup, and we waited an hour for it. The room was nice. {HOSTILE}")
    page.select_option("#stars", "2")
    page.click("#review button")
    page.wait_for_selector("#says")
    assert page.locator("mark").count() >= 1 and "waited an hour" in page.locator(".review").inner_text()
    assert page.url == f"{address}/", "no reload"
    page.click("[data-copy]")
    page.locator("#copied", has_text="Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#draft")
    page.locator("[data-vote='1']").first.click()
    page.wait_for_selector("[data-vote='1'][aria-pressed=true]")
    assert votes.summary(settings.warehouse)["by_model"] == [{"model": "fake", "up": 1, "down": 0, "reviews": 1}]
    keep(page, "review")
    assert page.faults == []


def test_a_file_with_progress_and_download(browser: Any, address: str, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(
        "text,stars\n" + "".join(f"Bad soup number {number}.,1\n" for number in range(150)) + "Bad soup number 1.,1\n"
    )
    page = open_page(browser, address)
    page.set_input_files("#upload", file)
    page.click("#file button")
    page.wait_for_selector("#downloads:not([hidden])")
    assert page.inner_text("#progress-text") == "151 rows: 150 analyzed, 0 rejected, 1 duplicates."
    with page.expect_download() as download:
        page.click("#as-csv")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as table:
        assert len(list(csv.DictReader(table))) == 151
    keep(page, "file")
    page.set_input_files("#upload", {"name": "r.csv", "mimeType": "text/csv", "buffer": b"number\n1\n"})
    page.click("#file button")
    page.locator("#progress-text", has_text="no column").wait_for()
    assert page.faults == []


def test_the_keyboard_alone(browser: Any, address: str) -> None:
    page = open_page(browser, address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("Bad soup. We waited.")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#says")
    assert page.faults == []


def test_a_phone(browser: Any, address: str) -> None:
    page = open_page(browser, address, PHONE)
    page.fill("#text", "Bad soup. We waited an hour. " + "Averylongwordwithoutanyblank" * 20)
    page.click("#review button")
    page.wait_for_selector("#says")
    assert fits(page)
    keep(page, "phone-review")
    page.click("text=Dashboard")
    page.wait_for_selector("#pains")
    assert fits(page)
    keep(page, "phone-dashboard")
    assert page.faults == []


def test_the_dashboard_and_the_report(browser: Any, address: str) -> None:
    page = open_page(browser, f"{address}/dashboard")
    assert page.locator("blockquote").count() >= 1 and page.locator("svg").count() >= 2
    keep(page, "dashboard")
    page.click("text=The whole report")
    page.wait_for_selector("text=How it was made")
    keep(page, "report")
    assert page.faults == [], "the report's own styles are allowed"


def test_the_key_is_asked_for(browser: Any, settings: Settings) -> None:
    with Live(create_app(replace(settings, api_key=KEY))) as url:
        page = open_page(browser, url)
        assert page.url == f"{url}/login"
        page.fill("#key", KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector("#text")
        page.fill("#text", "Bad soup.")
        page.click("#review button")
        page.wait_for_selector("#says")
        assert page.faults == []
