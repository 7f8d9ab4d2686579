"""The pages of `finetune` and `compare`: HTML with inline SVG, and the same in Markdown."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.report import charts
from pipeline.report.render import template

TEMPLATES = Path(__file__).with_name("templates")


def write(folder: Path, name: str, content: Mapping[str, Any], facts: Mapping[str, Any]) -> Path:
    """Writes `report.html`, `report.md` and `figures.json` (`facts`) to `folder`, each atomically; returns the HTML file.

    `name`: of the templates.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "report.html": template(f"{name}.html.jinja", TEMPLATES).render(content),
        "report.md": template(f"{name}.md.jinja", TEMPLATES).render(content),
        "figures.json": json.dumps(facts, indent=1, default=str) + "\n",
    }
    for file, text in pages.items():
        (folder / f"{file}.partial").write_text(text, encoding="utf-8")
        os.replace(folder / f"{file}.partial", folder / file)
    return folder / "report.html"


def reliability(figures: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The reliability diagram of one or more models, from the bins of (name, `figures.quality`)."""
    series = [
        (name, [(item["confidence"], item["accuracy"], item["n"]) for item in result["bins"] if item["n"]])
        for name, result in figures
    ]
    return charts.reliability("Reliability: how sure a model is, and how often it is right", series)


def shift_chart(title: str, shifts: Mapping[str, Mapping[str, Any]]) -> str:
    """Chart of `figures.language_shift`; empty unless two languages have a shift."""
    values = [
        (name, item["shift"], item["low"], item["high"]) for name, item in shifts.items() if item["shift"] is not None
    ]
    return charts.shifts(title, values) if len(values) > 1 else ""
