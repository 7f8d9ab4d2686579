"""Reply drafts: what a business may answer to an unhappy review. Deterministic, from `replies.toml` and the review's words.

A draft names the complaint in the customer's own words, admits no fault and promises no payment. It is a draft: somebody
who knows what happened reads it before it is sent.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.advice import complaints, wording

LONGEST = 140  # characters of a quote; 60 in Chinese and Japanese
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_MARKS = (("“", "”"), ("«", "»"), ("‹", "›"), ('"', '"'))


@dataclass(frozen=True)
class Reply:
    text: str
    language: str  # of the draft: the review's where `replies.toml` has it, else English
    quotes: tuple[str, ...]  # verbatim spans of the review


@functools.cache
def languages() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("replies.toml").read_text(encoding="utf-8"))


def draft(review: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> Reply:
    """A reply of 40 to 120 words. Keys of the review: text, language, business, and themes (each with theme, evidence,
    sentiment, score); all but text may be missing, None or empty. `labels`: what to call a theme, by its id.
    """
    said = str(review["text"])
    code = str(review.get("language") or "")[:2]
    language = code if code in languages() else "en"
    words = languages()[language]
    business = wording.name(review.get("business"))
    with_business = words["with_business"].replace("{business}", business) if business else ""

    themes = [theme for theme in review.get("themes") or [] if (theme.get("evidence") or "").strip()]
    negative = _ranked(theme for theme in themes if theme.get("sentiment") == "negative")
    quotes = _distinct([(theme["theme"], _span(theme["evidence"])) for theme in negative])[:2]
    if not quotes:
        quotes = _distinct([("", _span(complaints.most_informative(said))), ("", _span(said))])[:1]
    liked = [theme for theme in themes if theme.get("sentiment") == "positive" and (theme.get("score") or 0) > 0.6]
    praise = _distinct([("", _span(theme["evidence"])) for theme in _ranked(liked)[::-1]])
    praise = [item for item in praise if all(item[1] not in quote and quote not in item[1] for _, quote in quotes)][:1]

    seed = wording.seed(said)

    def say(kind: str, **values: str) -> str:
        nonlocal seed
        seed, at = divmod(seed, len(words[kind]))
        return wording.fill(words[kind][at], **values)

    parts = [say("thanks", with_business=with_business)]
    for number, (theme, quote) in enumerate(quotes):
        label = (labels or {}).get(theme, theme.replace("_", " ")) or "your experience"
        kind = "also" if number else "complaint"
        parts.append(say(kind, subject=wording.in_sentence(label), quote=_marked(quote, words["marks"])))
    parts += [say("praise", quote=_marked(quote, words["marks"])) for _, quote in praise]
    parts += [say("next"), say("contact")]
    signature = words["signature"][0] if business else words["signature"][1]
    glue = "" if language in ("zh", "ja") else " "
    text = f"{glue.join(parts)}\n\n{wording.fill(signature, business=business or '')}"
    return Reply(text, language, tuple(quote for _, quote in [*quotes, *praise]))


def _ranked(themes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The most negative first; among equals the evidence that says most and still fits."""
    return sorted(
        themes,
        key=lambda theme: (
            theme.get("score") or 0.0, len(theme["evidence"]) > LONGEST, -len(theme["evidence"]), theme["theme"]
        ),
    )  # fmt: skip


def _distinct(quotes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without empty ones and those that say again what one before says."""
    kept: list[tuple[str, str]] = []
    for theme, quote in quotes:
        if quote and all(quote not in other and other not in quote for _, other in kept):
            kept.append((theme, quote))
    return kept


def _span(evidence: str) -> str:
    """A verbatim span in one line, at most LONGEST characters, cut between words and without a full stop at its end."""
    span = max((piece.strip() for piece in _BREAKS.split(evidence)), key=len, default="")
    longest = 60 if _CJK.search(span) else LONGEST
    if len(span) > longest:
        cut = span[: longest + 1]
        ends = [place for mark in (", ", "; ", " - ", "，", "、", "。") if (place := cut.rfind(mark)) > longest // 2]
        span = cut[: max(ends)] if ends else cut.rsplit(" ", 1)[0][:longest]
    return span.rstrip(" .,;:，、。-–") or span


def _marked(quote: str, marks: str) -> str:
    # French sets its marks off by a (no-break) blank.
    own = ("«\u00a0", "\u00a0»") if marks == "«»" else (marks[0], marks[1])
    return wording.in_marks(quote, (own, *_MARKS))
