"""The pictures of the README, from a warehouse that `make stages` wrote: python -m tests.pictures [WAREHOUSE]

Needs chromium (Debian: apt-get install chromium). Writes docs/images/report.png and docs/images/page.png, in few colours:
flat pages lose nothing by it.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from pipeline.core import profile
from pipeline.core.warehouse import open_read_only
from pipeline.report import build
from pipeline.service.app import create_app
from pipeline.service.settings import Settings
from tests.conftest import ROOT
from tests.service.conftest import Live

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 960, "height": 900}
COLOURS = 64
REVIEW = (
    "The ramen was wonderful and the waiter made us laugh. But we waited fifty minutes for a table that we had booked, "
    "and they charged us twice for the drinks. I am still waiting for the refund."
)


def main(path: Path) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as scratch:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        with contextlib.closing(open_read_only(path)) as warehouse:
            report = build.write(warehouse, Path(scratch))
        page.goto((report.folder / "report.html").as_uri())
        keep(page, "report")
        with Live(create_app(Settings(path, profile.load("embedded"), api_key=None))) as url:
            page.goto(url)
            page.fill("#text", REVIEW)
            page.select_option("#stars", "2")
            page.click("#review button")
            page.wait_for_selector("#says", timeout=120_000)
            keep(page, "page")
        browser.close()


def keep(page: Any, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    picture.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "sample.duckdb"))
