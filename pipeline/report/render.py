"""Renders templates, with the filters that all pages share."""

from __future__ import annotations

import functools
import re
from datetime import date
from pathlib import Path
from typing import Any

import jinja2

from pipeline.advice import wording
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse
from pipeline.report.content import gather

TEMPLATES = Path(__file__).with_name("templates")


def page(warehouse: Warehouse) -> str:
    """The HTML report of an open warehouse."""
    return template("report.html.jinja").render(gather(warehouse) | {"day": now().date()})


@functools.cache
def template(name: str, folder: Path = TEMPLATES) -> jinja2.Template:
    """A template by its file name, cached; see `environment`."""
    return environment(folder).get_template(name)


def environment(folder: Path) -> jinja2.Environment:
    """A Jinja environment with our filters: it escapes everything in HTML and fails on undefined names."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=lambda template: bool(template and ".html" in template),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=_percent,
        number=lambda value, digits=2: "–" if value is None else f"{value:.{digits}f}",
        signed=lambda value, digits=1: "–" if value is None else f"{value:+.{digits}f}",
        md=_markdown,
        days=_days,
        named=wording.name,  # None for a data set's identifiers
        words=lambda name: name.replace("_", " "),
    )
    environment.globals.update(between=_between)
    return environment


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %" if value >= 0.1 or value == 0 else f"{100 * value:.1f} %"


def _between(low: float | None, high: float | None) -> str:
    """An interval of a share: "9 to 17 %"."""
    return "" if low is None or high is None else f"{_percent(low).removesuffix(' %')} to {_percent(high)}"


def _days(first: date, last: date) -> str:
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    return f"{first.day} {first:%B} to {end}" if first.year == last.year else f"{first.day} {first:%B %Y} to {end}"


def _markdown(text: Any) -> str:
    """Text for Markdown to show as it is: on one line, every special character escaped."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|&~$^=-])", r"\\\1", " ".join(str(text).split()))
