"""Extracts the text and its suggestions from what a model wrote, however the model lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.backends.cleaning import clean
from pipeline.text.sentences import sentence_spans

_NUMBER = re.compile(r"\(?(\d{1,2})([.)])(?:\s+|(?=[*A-Z]))(?=\S)")
_LINE = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]*)?(?:\*\*)?(?:\(?(?P<number>\d{1,2})[.)](?!\d)|[-*•–·▪●](?!\S*[-*]{2}$))"
    r"(?:\*\*)?(?:[ \t]+|(?=\*\*|[A-Z]))"
)
_RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.MULTILINE)
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
    r"|\b(?:we|you|they|owners?|management|managers?|staff|team|restaurant|business|hotel|store|company)\s+"
    r"(?:should|could|can|must|needs? to|might)\b"
    r"|^to (?:improve|enhance|address)\b.*,\s*consider\b|\b(?:recommend|suggest)\b(?! (?:it|this|the)\b)",
    re.IGNORECASE,
)

# An object with a key, or a list or an object at the beginning of a line. "[Name]" and "[ ] Train the team" are neither.
_JSON = re.compile(r"""\{\s*"[^"\n]*"\s*:|^[^\S\n]*(?:\{\s*(?:["'}]|\w+\s*:)|\[\s*["'{\[]|\[\]\s*\Z)""", re.MULTILINE)
_MAY_BE_JSON = re.compile(r"\{|^[ \t]*\[", re.MULTILINE)
_LISTS = ("suggestions", "recommendations", "steps", "actions", "action_items", "improvements", "solutions", "items")
_TEXTS = ("feedback", "text", "summary", "message", "response", "answer", "advice", "assessment", "analysis", "content")
_HEADS = ("title", "name", "heading", "area", "topic", "suggestion", "recommendation", "action", "step")
_DETAILS = ("description", "details", "detail", "text", "explanation", "content")


@dataclass(frozen=True)
class Answer:
    """What a model wrote for people to read, and the suggestions in it; with an error there is neither."""

    text: str
    suggestions: list[str] = field(default_factory=list)
    error: str | None = None


def read_answer(text: str, truncated: bool = False) -> Answer:
    """Reads a model's text. JSON becomes the text that it holds, with its suggestions as a numbered list; JSON that is
    broken, was cut off (`truncated`) or holds other things gives an error.
    """
    start = _JSON.search(text)
    if not start:
        return Answer(text, parse_suggestions(text))
    try:
        document, _ = json.JSONDecoder(strict=False).raw_decode(text[start.start() :].lstrip())
        answer = _from_json(document)
    except (ValueError, RecursionError):
        why = "was cut off by the token limit; raise max_new_tokens" if truncated else "cannot be read"
        return Answer("", error=f"the model wrote JSON that {why}")
    if answer is None or _JSON.search(answer.text):
        return Answer("", error="the model wrote JSON without a text or a list of suggestions")
    return answer


def presentable(text: str) -> str:
    """The part of an answer still being written that can be shown: what may be JSON is read once it is complete."""
    start = _MAY_BE_JSON.search(text)
    return text[: start.start()] if start else text


def _from_json(document: Any) -> Answer | None:
    """From a list of suggestions, or an object with a text, such a list or both, or with another such object in their place.
    None for any other JSON.
    """
    if isinstance(document, list):
        document = {"suggestions": document}
    if not isinstance(document, Mapping):
        return None
    entries = {str(key).lower(): value for key, value in document.items()}
    items = next(filter(None, (_items(entries.get(name)) for name in (*_LISTS, *_TEXTS))), [])
    texts = [next(filter(None, (_string(entries.get(name)) for name in names)), "") for names in (_TEXTS, _LISTS)]
    text = "\n\n".join(filter(None, texts))
    if items:
        listed = "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))
        return Answer(f"{text}\n\n{listed}".strip(), items)
    objects = [entries[name] for name in (*_TEXTS, *_LISTS) if isinstance(entries.get(name), Mapping)]
    return next(filter(None, map(_from_json, objects)), None) or (
        Answer(text, parse_suggestions(text)) if text else None
    )


def _string(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""


def _items(value: Any) -> list[str]:
    """The suggestions of a list, each on one line without a number of its own; empty if one of them is not understood."""
    lines = [" ".join(_item(item).split()) for item in value] if isinstance(value, list) else []
    items = [line[match.end() :] if (match := _LINE.match(line)) else line for line in lines]
    return items if all(any(map(str.isalpha, item)) for item in items) else []


def _item(value: Any) -> str:
    """A suggestion in JSON: a text, or an object with a title, a description or both."""
    if not isinstance(value, Mapping):
        return _string(value)
    parts = (next(filter(None, (_string(value.get(name)) for name in names)), "") for names in (_HEADS, _DETAILS))
    return ": ".join(filter(None, parts))


def parse_suggestions(text: str) -> list[str]:
    """The suggestions in a model's text, in order: numbered or bulleted items (one per line or run together), items
    with a bold title, else the sentences that ask for something. Empty where there are none. Never raises.
    """
    for parse in (_lines, _inline_numbers, _inline_bullets, _titles, _requests):
        items = [item for item in map(_tidy, parse(text)) if any(map(str.isalpha, item))]
        if items:
            return items
    return []


def _lines(text: str) -> list[str]:
    """Items that begin a line. Lines below an item belong to it, up to a blank line or the next item."""
    lines = [(line, _LINE.match(line)) for line in _RULE.sub("", text).split("\n")]
    numbered = any(match and match["number"] for _, match in lines)
    items: list[list[str]] = []
    open_item = False
    for line, match in lines:
        if match and (match["number"] or not numbered):
            item = line[match.end() :]
            # "**1. Title**": the markup that opened before the number closes after it.
            items.append([item.replace("**", "", 1) if "**" in match[0] else item])
            open_item = True
        elif not line.strip():
            open_item = False
        elif match and items:  # a bullet below a number is part of the numbered item
            items[-1].append(line[match.end() :])
            open_item = True
        elif open_item:
            items[-1].append(line)
    joined = [_join(parts) for parts in items]
    # "1. Train staff. 2. Ask guests." on one line is a list in itself.
    return [] if len(joined) == 1 and max(len(_inline_numbers(text)), len(_inline_bullets(text))) > 1 else joined


def _join(parts: list[str]) -> str:
    """The lines of an item as one line: "Train staff" above two bullets becomes "Train staff: Role play; Feedback"."""
    text = parts[0].strip()
    for position, part in enumerate(parts[1:]):
        closed = text[-1:] in ".:;!?,*" or not part[:1].isupper()
        text = f"{text}{' ' if closed else '; ' if position else ': '}{part.strip()}"
    return text


def _inline_numbers(text: str) -> list[str]:
    """Items after 1., 2., 3. ... in running text; other numbers are part of an item."""
    numbers: list[tuple[int, int]] = []
    style = ""  # a list is numbered in one style: 1. or 1)
    for match in _NUMBER.finditer(text):
        before = text[: match.start()].rstrip(" *")
        starts_item = not before or before[-1] in '.:;!?)\n”"' or (bool(numbers) and text[match.start() - 1].isspace())
        if int(match[1]) == len(numbers) + 1 and starts_item and match[2] == (style or match[2]):
            numbers.append(match.span())
            style = match[2]
    return _after_each(text, numbers)


def _inline_bullets(text: str) -> list[str]:
    bullets = [match.span() for match in _INLINE_BULLET.finditer(text)]
    return _after_each(text, bullets) if len(bullets) > 1 else []


def _titles(text: str) -> list[str]:
    return _after_each(text, [(match.start(), match.start()) for match in _TITLE.finditer(text)])


def _after_each(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """What follows each span, up to the next span or a blank line."""
    ends = [start for start, _ in spans[1:]] + [len(text)]
    return [re.split(r"\n\s*\n", text[span[1] : end])[0] for span, end in zip(spans, ends, strict=False)]


def _requests(text: str) -> list[str]:
    sentences = [text[start:end] for start, end in sentence_spans(text, clauses=False)]
    return [sentence for sentence in sentences if _ASKS.search(sentence)]


def _tidy(item: str) -> str:
    """One line, without the markup of a title or of an item that is bold as a whole."""
    return " ".join(_LEADING_BOLD.sub(r"\1", item.strip()).split())
