"""A customer's words inside a sentence of ours: quoted, shortened, in one line."""

from __future__ import annotations

import re
from typing import Any

from pipeline.text.script import CONTROLS, has_dense

_CONTROLS = re.compile(f"[{CONTROLS}]")  # would garble the text around
_COMMON = re.compile(
    r"about|after|again|also|because|been|before|being|could|customers?|does|doing|even|every|from|have|here|into|just|"
    r"like|made|make|more|most|much|never|only|other|over|review|service|should|some|such|than|that|their|them|then|"
    r"there|these|they|this|those|time|very|want|wanted|well|were|what|when|where|which|while|will|with|without|would|your"
)


def stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[^\W\d_]{4,}", text.lower()) if not _COMMON.fullmatch(word)}


def quote(evidence: str, limit: int, term: str = "") -> str:
    """A customer's words in quotation marks, in one line, at most `limit` characters cut between words around `term`."""
    said = one_line(evidence)
    if has_dense(said):
        limit //= 2  # a Chinese, Japanese or Korean character says about as much as two or three others
    at = max(said.lower().find(term.rstrip("*").lower()), 0)
    if len(said) > limit:
        start = 0
        if at + len(term) > limit - 1:
            start = said.rfind(" ", 0, max(at - limit // 3, 1)) + 1 or max(at - limit // 3, 0)
        body = said[start : start + limit]
        if start + limit < len(said):
            body = (body.rsplit(" ", 1)[0] if " " in body[limit // 2 :] else body[:-1]).rstrip(" ,;:-–，、") + "…"
        said = ("…" if start else "") + body
    said = said.rstrip(" .,;:，、。") or said
    for marks in ("“”", '""', "«»", "‹›"):
        if marks[0] not in said and marks[1] not in said:
            break
    return f"{marks[0]}{said}{marks[1]}"


def one_line(text: str) -> str:
    return " ".join(_CONTROLS.sub("", " ".join(text.split())).split())


def name(business: Any) -> str | None:
    """A name that can stand in a sentence; identifiers of a data set cannot."""
    text = one_line(str(business or ""))
    if not any(map(str.isalpha, text)) or len(text) > 60 or re.fullmatch(r"(?=.*\d)[\w-]{16,}", text):
        return None
    return text
