"""Suggestions from whatever text a model wrote."""

from __future__ import annotations

import re

_ITEM = re.compile(r"(?:^|\s)(?:\d{1,2}[.)]|[-*•])\s+(?=\S)")


def parse_suggestions(text: str) -> list[str]:
    """The items of the first list in a text (numbered or bulleted, on lines or inline); [] when there is none."""
    marks = list(_ITEM.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    items = [text[mark.end() : end].split("\n\n")[0].strip() for mark, end in zip(marks, ends, strict=True)]
    return [" ".join(item.split()) for item in items if any(map(str.isalpha, item))]
