"""A customer's words inside a sentence of ours: quoted, shortened, in one line; and the templates they are filled into."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence

from pipeline.text.script import CONTROLS, has_dense

_SLOT = re.compile(r"\{(\w+)\}")
_MARKS = (("“", "”"), ('"', '"'), ("«", "»"), ("‹", "›"))
_CONTROLS = re.compile(f"[{CONTROLS}]")  # would garble the text around them
_COMMON = re.compile(
    r"about|after|again|also|because|been|before|being|could|customers?|does|doing|even|every|from|have|here|into|just|"
    r"like|made|make|more|most|much|never|only|other|over|review|service|should|some|such|than|that|their|them|then|"
    r"there|these|they|this|those|time|very|want|wanted|well|were|what|when|where|which|while|will|with|without|would|your"
)


def stems(text: str) -> set[str]:
    """The first five letters of each word of four or more, lower case, without common ones."""
    return {word[:5] for word in re.findall(r"[^\W\d_]{4,}", text.lower()) if not _COMMON.fullmatch(word)}


def quote(evidence: str, limit: int, term: str = "") -> str:
    """A customer's words in quotation marks, on one line, cut between words to at most `limit` characters around `term`."""
    words = one_line(evidence)
    if has_dense(words):
        limit //= 2  # one Chinese, Japanese or Korean character carries about as much as two or three others
    at = max(words.lower().find(term.rstrip("*").lower()), 0)
    if len(words) > limit:
        start = 0
        if at + len(term) > limit - 1:
            start = words.rfind(" ", 0, max(at - limit // 3, 1)) + 1 or max(at - limit // 3, 0)
        body = words[start : start + limit]
        if start + limit < len(words):
            body = (body.rsplit(" ", 1)[0] if " " in body[limit // 2 :] else body[:-1]).rstrip(" ,;:-–，、") + "…"
        words = ("…" if start else "") + body
    return in_marks(words.rstrip(" .,;:，、。") or words)


def in_marks(text: str, pairs: Sequence[tuple[str, str]] = _MARKS) -> str:
    """A text in the first pair of quotation marks that does not occur in it, or in the last pair if all do.

    A mark may include the space that sets it off from the text, as in French.
    """
    opening, closing = next(
        (pair for pair in pairs if pair[0].strip() not in text and pair[1].strip() not in text), pairs[-1]
    )
    return f"{opening}{text}{closing}"


def one_line(text: str) -> str:
    """A text without line breaks, repeated spaces and control characters."""
    return " ".join(_CONTROLS.sub("", " ".join(text.split())).split())


@functools.lru_cache(maxsize=4096)
def name(business: str | None) -> str | None:
    """The name of a business, if it can be used in a sentence; None for identifiers such as those of data sets."""
    text = one_line(str(business or ""))
    if not any(map(str.isalpha, text)) or len(text) > 60 or re.fullmatch(r"(?=.*\d)[\w-]{16,}", text):
        return None
    return text


def in_sentence(label: str) -> str:
    """A label as written inside a sentence: "waiting time", but "WiFi and internet"."""
    return label[0].lower() + label[1:] if label.split()[0][1:].islower() else label


def fill(template: str, **values: str) -> str:
    """A template with its {slots} replaced in one pass, so that braces in a quote are left alone. Raises KeyError for a slot
    without a value.
    """
    return _SLOT.sub(lambda slot: values[slot[1]], template)


def seed(text: str) -> int:
    """A 64-bit hash that chooses among variants, so that the same review always gets the same text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
