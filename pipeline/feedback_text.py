"""From what a model wrote to the suggestions in it, whichever way the model likes to list things."""

from __future__ import annotations

import re

from pipeline import themes

_NUMBER = re.compile(r"\(?(\d{1,2})[.)](?:\s+|(?=[*A-Z]))(?=\S)")
_LINE = re.compile(
    r"[ \t]*(?:\*\*)?(?:\(?(?P<number>\d{1,2})[.)](?!\d)|[-*•–·▪●](?!\S*[-*]{2}$))"
    r"(?:\*\*)?(?:[ \t]+|(?=\*\*|[A-Z]))"
)
_TITLE = re.compile(r"\*\*[^*\n]{2,80}?(?::\*\*|\*\*\s*:)\s*")
_LEADING_BOLD = re.compile(r"^\*\*(.+?)\*\*")
_INLINE_BULLET = re.compile(r"(?:^|(?<=\s))[•●▪]\s*|(?<=[.:!?])\s+[-–]\s+(?=[A-Z])")
_ASKS = re.compile(
    r"^(?:(?:please|first|second|third|next|then|also|finally|lastly|additionally|furthermore)\b,?\s+)*"
    r"(?:acknowledge|add|address|adjust|allow|apologi[sz]e|ask|avoid|check|clarify|clean|communicate|conduct|consider|"
    r"contact|create|decrease|develop|educate|encourage|enhance|ensure|establish|evaluate|expand|explain|fix|follow|give|"
    r"hire|implement|improve|include|increase|inform|inspect|introduce|invest|investigate|invite|keep|listen|maintain|make|"
    r"monitor|offer|organi[sz]e|prepare|prioriti[sz]e|provide|reach|reduce|remind|repair|replace|respond|review|set|simplify|"
    r"speak|start|stop|train|try|update|upgrade|use|work)\b"
    r"|\b(?:should|could|need to|recommend|suggest|would be (?:good|better|helpful)|(?:is|would be) important to)\b",
    re.IGNORECASE,
)


def parse_suggestions(text: str) -> list[str]:
    """The suggestions in a model's text, in order: numbered or bulleted items (one per line or run together), items
    with a bold title, else the sentences that ask for something. Empty where there are none. Never raises.
    """
    for find in (_lines, _inline_numbers, _inline_bullets, _titles, _requests):
        items = [item for item in map(_tidy, find(text)) if any(map(str.isalpha, item))]
        if items:
            return items
    return []


def _lines(text: str) -> list[str]:
    """Items that begin a line. Lines below an item belong to it, up to a blank line or the next item."""
    lines = [(line, _LINE.match(line)) for line in text.split("\n")]
    numbered = any(mark and mark["number"] for _, mark in lines)
    items: list[list[str]] = []
    open_item = False
    for line, mark in lines:
        if mark and (mark["number"] or not numbered):
            items.append([line[mark.end() :]])
            open_item = True
        elif not line.strip():
            open_item = False
        elif mark and items:  # a bullet below a number is part of the numbered item
            items[-1].append(line[mark.end() :])
            open_item = True
        elif open_item:
            items[-1].append(line)
    joined = [_join(parts) for parts in items]
    # "1. Train staff. 2. Ask guests." in one line is a list in itself.
    return joined if len(joined) != 1 or len(_inline_numbers(text)) < 2 else []


def _join(parts: list[str]) -> str:
    """The lines of one item in one: "Train staff" over two bullets is "Train staff: Role play; Feedback"."""
    text = parts[0].strip()
    for position, part in enumerate(parts[1:]):
        closed = text[-1:] in ".:;!?,*" or not part[:1].isupper()
        text = f"{text}{' ' if closed else '; ' if position else ': '}{part.strip()}"
    return text


def _inline_numbers(text: str) -> list[str]:
    """Items after 1., 2., 3. ... in the run of the text; other numbers are part of an item."""
    cuts: list[tuple[int, int]] = []
    for match in _NUMBER.finditer(text):
        before = text[: match.start()].rstrip(" *")
        fresh = not before or before[-1] in '.:;!?)\n”"' or (bool(cuts) and text[match.start() - 1].isspace())
        if int(match[1]) == len(cuts) + 1 and fresh:
            cuts.append(match.span())
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    return [re.split(r"\n\s*\n", text[start:end])[0] for (_, start), end in zip(cuts, ends, strict=True)]


def _inline_bullets(text: str) -> list[str]:
    marks = list(_INLINE_BULLET.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)] if len(marks) > 1 else []


def _titles(text: str) -> list[str]:
    marks = list(_TITLE.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [re.split(r"\n\s*\n", text[mark.start() : end])[0] for mark, end in zip(marks, ends, strict=True)]


def _requests(text: str) -> list[str]:
    spans = [text[start:end] for start, end in themes.sentences(text, clauses=False)]
    return [sentence for sentence in spans if _ASKS.search(sentence)]


def _tidy(item: str) -> str:
    """One line, without the markup of a title or of an item that is bold as a whole."""
    return " ".join(_LEADING_BOLD.sub(r"\1", item.strip()).split())
