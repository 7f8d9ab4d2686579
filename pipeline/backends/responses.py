"""What a model server's response holds: an answer, or the reason why there is none, however the server puts it."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import Any

from pipeline.backends.base import Written
from pipeline.backends.cleaning import NOTHING, ONLY_THOUGHT, written

_LONGEST = 200  # characters of a server's message
_HEAD = 4000  # characters of a page in which its title is looked for
_LONGEST_ANSWER = 200_000  # characters
_MOST_TOKENS = 10_000_000  # of one prompt or answer; a server that says more does not count
_REASONS = ("error", "message", "detail", "msg", "errors", "title")  # where servers put it, outer names first


class WebPage(ValueError):
    """A page for people where a chat completion should be: the address is not that of an API."""


def answer(body: str) -> Written:
    """The model's answer in a chat completion, with an error if there is none; `raw` is then the body. Raises WebPage."""
    if body.lstrip().startswith("<"):
        raise WebPage(reason(body))
    document = _entry(_document(body))
    choices = document.get("choices")
    choice = _entry(choices[0]) if isinstance(choices, list) and choices else None
    if choice is None:
        what = "a chat completion without choices" if isinstance(choices, list) else "no chat completion"
        why = f"{what}: {reason(body)}; the server's log may say more"
        return Written("", storable(body), error=why, usage=_usage(document))
    message, truncated = _entry(choice.get("message")), choice.get("finish_reason") == "length"
    content, usage = storable(_text(message.get("content"))), _usage(document)
    if len(content) > _LONGEST_ANSWER:
        return Written(
            "", content[:_LONGEST_ANSWER], True, error=f"an answer of {len(content):,} characters", usage=usage
        )
    if content.strip():
        return replace(written(content, truncated), usage=usage)
    return Written("", storable(body), truncated, error=_why_empty(choice, message), usage=usage)


def _usage(document: dict[str, Any]) -> tuple[int, int]:
    """Tokens of prompt and answer, as far as the server states them as one can."""
    counted = _entry(document.get("usage"))
    prompt, completion = (_tokens(counted.get(f"{name}_tokens")) for name in ("prompt", "completion"))
    return prompt, completion


def _tokens(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_TOKENS else 0


def reason(body: str) -> str:
    """A server's explanation in one short line: the message in its JSON, or the title of its page."""
    document = _document(body)
    explanation = _explanation(document) if isinstance(document, dict | list) else _title(body)
    line = " ".join(storable(explanation).split())
    return f"{line[:_LONGEST]}…" if len(line) > _LONGEST else line or "no reason given"


def _document(body: str) -> Any:
    """None for what is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _entry(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    """The text of a message; some servers send it in parts, of which others hold the thinking."""
    parts = [_entry(part).get("text") for part in content] if isinstance(content, list) else [content]
    return "".join(part for part in parts if isinstance(part, str))


def storable(text: str) -> str:
    """Without what a database column cannot hold: lone surrogates and NUL, which JSON can."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _why_empty(choice: dict[str, Any], message: dict[str, Any]) -> str:
    if message.get("reasoning_content") or message.get("reasoning") or message.get("content"):
        return f"{ONLY_THOUGHT} (all it sent is reasoning)"
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        return f"the model refused: {' '.join(storable(refusal).split())[:_LONGEST]}"
    if choice.get("finish_reason") == "content_filter":
        return "its filter held the answer back"
    return f"{NOTHING}; the server's log may say more"


def _explanation(value: Any, depth: int = 6) -> str:
    """The first words in a document, at most `depth` levels down: a hostile one may have a thousand."""
    if not isinstance(value, dict | list):
        return str(value)
    if not depth:
        return ""
    if isinstance(value, list):
        return "; ".join(_explanation(one, depth - 1) for one in value[:3])
    found = next((_explanation(value[name], depth - 1) for name in _REASONS if value.get(name)), "")
    place = value.get("loc")  # of a field, as FastAPI names it
    return f"{'.'.join(_explanation(one, 0) for one in place[:9])}: {found}" if isinstance(place, list) else found


def _title(page: str) -> str:
    page = page[:_HEAD]
    title = re.search(r"<(title|h1)\b[^>]*>(.*?)</\1>", page, re.IGNORECASE | re.DOTALL)
    shown = title[2] if title else re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.IGNORECASE | re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", shown))
