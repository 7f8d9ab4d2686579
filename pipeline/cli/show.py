"""Printing: JSON, tables, and the progress of a run."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.text.script import CONTROLS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STEERING = re.compile(f"(?![\n\t])[{CONTROLS}\ud800-\udfff]")
Progress = Callable[[str, int, int], None]  # stage, units done, total units (0: unknown)


def _console(**options: Any) -> Console:
    """One that leaves a closed pipe to `main`: rich would exit with 1, as if a check had failed."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(**options)


@functools.cache
def _stderr() -> Console:
    """One for all, so that a table does not tear the progress bars apart."""
    return _console(stderr=True)


def printable(text: str) -> str:
    """A text from outside as a terminal may see it: control characters, marks that turn the direction of text and halves
    of characters as escapes, so that no name and no review steers the terminal.
    """
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _text(value: str) -> Text:
    """A text for rich, without markup: "[feedback]" in a review or an error is none."""
    from rich.text import Text

    return Text(printable(value))


def as_json(document: Mapping[str, Any]) -> None:
    """Prints a document as JSON; paths and dates become text."""
    print(json.dumps(document, indent=2, default=str))


def summary(facts: Mapping[str, Any]) -> None:
    """Prints the table at the end of a run, then the files written. `facts`: of `report.digest`."""
    from rich.table import Table

    table = Table(show_header=False, title="Review Insights", title_justify="left", min_width=76)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts["table"]:
        table.add_row(name, _text(value))
    console = _console()
    console.print(table)
    for name, path in facts["files"].items():
        console.print(_text(f"{name}: {path}"), highlight=False, soft_wrap=True)


def understood(sources: Iterable[Mapping[str, Any]], to_stderr: bool = True) -> None:
    """Prints how each source was understood. `sources`: rows of the view `sources`, JSON columns decoded."""
    from rich.table import Table

    from pipeline.report.sources import HEADINGS, describe

    console = _stderr() if to_stderr else _console()
    for source in map(describe, sources):
        table = Table(title=_text(f"How {source.source} was understood"), title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, overflow="fold")
        for row in source.rows:
            table.add_row(*map(_text, row))
        console.print(table)
        for line in source.lines:
            console.print(_text(line), soft_wrap=True)


def lines(texts: Iterable[str]) -> None:
    """Prints lines of text."""
    for text in texts:
        print(text)


def note(text: str) -> None:
    """One line on stderr about something that nobody asked for but everybody should know."""
    print(printable(f"review-insights: {text}"), file=sys.stderr)


def verdict(text: str | None, first: Path | None) -> None:
    """What the check found; `first`: the file of the baseline that it has recorded, where there was none."""
    if first:
        print(f"check: these reviews had no baseline yet; this run is recorded as the first, in {first}")
    else:
        print(text or "check: no baseline yet; record one with: review-insights check --record REASON")


def rows(names: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
    """Prints a query's result as a table; if that is too wide to read, a line per column as in psql's \\x."""
    from rich.markup import escape
    from rich.table import Table

    console = _console()
    if len(names) * 10 > console.width:
        table = Table("column", "value", show_header=False)
        for row in values:
            for name, value in zip(names, row, strict=True):
                table.add_row(_text(name), _text(_cell(value)))
            table.add_section()
    else:
        table = Table(*(escape(printable(name)) for name in names))
        for row in values:
            table.add_row(*(_text(_cell(value)) for value in row))
    console.print(table)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def figures(title: str, results: Sequence[tuple[str, Mapping[str, Any]]], columns: Mapping[str, str]) -> None:
    """Prints a table of figures, a row per model. `columns`: heading -> the figure's key."""
    from rich.table import Table

    table = Table("", *columns, title=title, title_justify="left")
    for role, measured in results:
        cells = ("–" if measured.get(key) is None else f"{measured[key]:.3f}" for key in columns.values())
        table.add_row(role, *cells)
    _console().print(table)


@contextlib.contextmanager
def progress(
    quiet: bool, console: Console | None = None, clock: Callable[[], float] | None = None
) -> Iterator[Progress]:
    """A line per stage on stderr, whose clock stops when the next stage begins; nothing if `quiet`.

    If stderr is not a terminal, the lines are written once, at the end.
    """
    if quiet:
        yield lambda name, done, total: None
        return
    from rich import progress as rich_progress

    bars = rich_progress.Progress(
        rich_progress.TextColumn("{task.description:>12}"),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.fields[count]:>9}"),
        rich_progress.TimeElapsedColumn(),
        console=console or _stderr(),
        get_time=clock,
    )
    tasks: dict[str, rich_progress.TaskID] = {}

    def stop_clock() -> None:
        if tasks:
            last = bars.tasks[-1]
            bars.update(last.id, total=last.completed if last.total is None else last.total)
            bars.stop_task(last.id)

    def update(name: str, done: int, total: int) -> None:
        if not tasks:
            bars.start()  # only now: an error before the first stage stays one line
        if name not in tasks:
            stop_clock()
            tasks[name] = bars.add_task(name, total=None, count="")
        bars.update(tasks[name], completed=done, total=total or None, count=f"{done}/{total}" if total else str(done))

    try:
        yield update
    finally:
        if tasks:
            stop_clock()
            bars.stop()
