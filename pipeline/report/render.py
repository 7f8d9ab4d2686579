"""Renders templates, with the filters that all pages share."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2

from pipeline.advice import wording
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse
from pipeline.report.content import gather
from pipeline.report.formats import between, days, markdown, percent

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
        percent=percent,
        number=lambda value, digits=2: "–" if value is None else f"{value:.{digits}f}",
        signed=lambda value, digits=1: "–" if value is None else f"{value:+.{digits}f}",
        md=markdown,
        days=days,
        named=wording.name,  # None for a data set's identifiers
        words=lambda name: name.replace("_", " "),
    )
    environment.globals.update(between=between)
    return environment
