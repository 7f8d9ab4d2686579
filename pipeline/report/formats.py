"""How reports write numbers, spans of days, and text in Markdown."""

from __future__ import annotations

import re
from datetime import date
from typing import Any


def percent(value: float | None) -> str:
    """A share as a report writes it: "38 %", "7.3 %"."""
    return "–" if value is None else f"{100 * value:.0f} %" if value >= 0.1 or value == 0 else f"{100 * value:.1f} %"


def between(low: float | None, high: float | None) -> str:
    """An interval of a share: "9 to 17 %"."""
    return "" if low is None or high is None else f"{percent(low).removesuffix(' %')} to {percent(high)}"


def days(first: date, last: date) -> str:
    """A span of days: "3 May to 9 June 2026"."""
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    return f"{first.day} {first:%B} to {end}" if first.year == last.year else f"{first.day} {first:%B %Y} to {end}"


def markdown(text: Any) -> str:
    """Text for Markdown to show as it is: on one line, every special character escaped."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|&~$^=-])", r"\\\1", " ".join(str(text).split()))
