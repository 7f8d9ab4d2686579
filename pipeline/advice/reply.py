"""Drafts of a business's reply to an unhappy review: deterministic, from the templates of a language
(`replies/CODE.toml`) and the review's words.

A draft is polite and specific: it names the complaint in the customer's own words, admits no fault, promises no payment
and states no fact that the review lacks. It regrets how things were felt, not what the business did: "sorry to hear",
never "sorry that we". Somebody who knows what happened should read it before it is sent.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from pipeline.advice import complaints, wording
from pipeline.text.language import languages, read_per_language
from pipeline.text.private import Mask
from pipeline.text.script import CONTROLS, has_cjk

LONGEST = 140  # characters of a quote; 60 in Chinese and Japanese
LIMITS = {"google_play": 350}  # characters of a reply, on platforms that allow fewer than a draft may have
_SPARED = ("praise", "also", "next", "thanks")  # where there is no room for all, in this order
_BREAKS = re.compile(f"[{CONTROLS}]+")
_MARKS = (("“", "”"), ("«", "»"), ("‹", "›"), ('"', '"'))

Variants = Annotated[tuple[str, ...], Field(min_length=1)]  # a hash of the review chooses one


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Templates:
    """The sentences of the drafts in one language, in the order in which they are written."""

    marks: tuple[str, str]  # the two quotation marks, with the space that sets them off where it is usual
    with_business: str  # fills {with_business} of `thanks` if the name of the {business} is known
    thanks: Variants
    complaint: Variants  # with {quote}; {subject} is the playbook's label, which is English
    also: Variants  # a second complaint: {quote}
    praise: Variants  # what the customer liked: {quote}
    next: Variants  # what happens now
    contact: Variants  # how to go on talking
    signature: tuple[str, str]  # with {business}, and without


@dataclass(frozen=True)
class Reply:
    """A draft."""

    text: str
    language: str  # of the draft: the review's where there are templates for it, else English
    quotes: tuple[str, ...]  # verbatim spans of the review, with placeholders for what identifies a person


@functools.cache
def templates() -> Mapping[str, Templates]:
    """ISO 639-1 code -> the templates of the language."""
    return read_per_language(Path(__file__).with_name("replies"), Templates)


def draft(review: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> Reply:
    """A reply of 40 to 120 words, or fewer where the platform has a limit. Keys of the review: text, language, business,
    platform, and themes (each with theme, evidence, sentiment, score); any but text may be missing, None or empty. `labels`:
    theme id -> label. What identifies a person is masked: a public answer repeats no customer's telephone number, and names
    no waiter.
    """
    review = _masked(review)
    limit = LIMITS.get(review.get("platform") or "")
    for longest in (LONGEST, 60, 30, 0):  # 0: no quote
        reply = _draft(review, labels or {}, longest, limit)
        if limit is None or len(reply.text) <= limit:
            break
    return reply


def _masked(review: Mapping[str, Any]) -> dict[str, Any]:
    """The review with placeholders; `seed`: the text as it was, which chooses the variants."""
    mask = Mask(str(review["text"]))
    themes = [
        {**theme, "evidence": mask.hide(theme["evidence"])} if theme.get("evidence") else theme
        for theme in review.get("themes") or []
    ]
    return {**review, "text": mask.hide(str(review["text"])), "themes": themes, "seed": str(review["text"])}


def _draft(review: Mapping[str, Any], labels: Mapping[str, str], longest: int, limit: int | None) -> Reply:
    """With quotes of at most `longest` characters; without the sentences that `limit` leaves no room for, as far as they can be
    spared.
    """
    text = str(review["text"])
    code = str(review.get("language") or "")[:2]
    language = code if code in templates() else "en"
    template = templates()[language]
    business = wording.name(review.get("business"))
    negative, praise = _quotes(text, review.get("themes") or [], longest)
    choice = _Choice(review["seed"])

    with_business = wording.fill(template.with_business, business=business) if business else ""
    parts = {"thanks": choice.fill(template.thanks, with_business=with_business)}
    for part, (theme, quote) in zip(("complaint", "also"), negative, strict=False):
        label = labels.get(theme, theme.replace("_", " ")) or "your experience"
        variants: Variants = getattr(template, part)
        parts[part] = choice.fill(variants, subject=wording.in_sentence(label), quote=_marked(quote, template.marks))
    for _, quote in praise:
        parts["praise"] = choice.fill(template.praise, quote=_marked(quote, template.marks))
    parts |= {"next": choice.fill(template.next), "contact": choice.fill(template.contact)}
    signature = wording.fill(template.signature[0], business=business) if business else template.signature[1]
    separator = " " if languages()[language].spaced else ""

    def joined() -> str:
        return f"{separator.join(parts.values())}\n\n{signature}"

    quotes = {"complaint": negative[:1], "also": negative[1:], "praise": praise}
    for part in _SPARED:
        if limit is not None and len(joined()) > limit:
            parts.pop(part, None)
    used = [quote for part, found in quotes.items() if part in parts for _, quote in found]
    return Reply(joined(), language, tuple(used))


class _Choice:
    """Picks variants by the review's hash, so that the same review always gets the same draft."""

    def __init__(self, review: str) -> None:
        self._seed = wording.seed(review)

    def fill(self, variants: Sequence[str], **values: str) -> str:
        self._seed, at = divmod(self._seed, len(variants))
        return wording.fill(variants[at], **values)


def _quotes(
    text: str, themes: Sequence[Mapping[str, Any]], longest: int
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(theme, verbatim span of at most `longest` characters) of one or two complaints, and of at most one praise."""
    if not longest:
        return [], []
    themes = [theme for theme in themes if (theme.get("evidence") or "").strip()]
    negative = _ranked(theme for theme in themes if theme.get("sentiment") == "negative")
    quotes = _distinct([(theme["theme"], _span(theme["evidence"], longest)) for theme in negative])[:2]
    if not quotes:
        quotes = _distinct([("", _span(complaints.most_informative(text), longest)), ("", _span(text, longest))])[:1]
    liked = [theme for theme in themes if theme.get("sentiment") == "positive" and (theme.get("score") or 0) > 0.6]
    praise = _distinct([("", _span(theme["evidence"], longest)) for theme in _ranked(liked)[::-1]])
    separate = [item for item in praise if all(item[1] not in quote and quote not in item[1] for _, quote in quotes)]
    return quotes, separate[:1]


def _ranked(themes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The most negative first; among equals the longest evidence that fits into a quote."""

    def rank(theme: Mapping[str, Any]) -> tuple[float, bool, int, str]:
        length = len(theme["evidence"])
        return theme.get("score") or 0.0, length > LONGEST, -length, theme["theme"]

    return sorted(themes, key=rank)


def _distinct(quotes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without empty quotes and those that overlap with an earlier one."""
    kept: list[tuple[str, str]] = []
    for theme, quote in quotes:
        if quote and all(quote not in other and other not in quote for _, other in kept):
            kept.append((theme, quote))
    return kept


def _span(evidence: str, most: int) -> str:
    """A verbatim span of one line, at most `most` characters, cut between words, without a final full stop."""
    span = max((piece.strip() for piece in _BREAKS.split(evidence)), key=len, default="")
    longest = min(most, 60) if has_cjk(span) else most
    if len(span) > longest:
        cut = span[: longest + 1]
        ends = [place for mark in (", ", "; ", " - ", "，", "、", "。") if (place := cut.rfind(mark)) > longest // 2]
        span = cut[: max(ends)] if ends else cut.rsplit(" ", 1)[0][:longest]
    return span.rstrip(" .,;:，、。-–") or span


def _marked(quote: str, marks: tuple[str, str]) -> str:
    return wording.in_marks(quote, (marks, *_MARKS))
