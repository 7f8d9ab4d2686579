"""A language model as the judge of two feedback texts for the same review, asked in both orders.

Source: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena" (https://arxiv.org/abs/2306.05685).
Judges have a position bias: they prefer a text for where it stands, mostly first, rather than for what it says. Hence the
remedy of that paper: each pair is judged twice, with the texts swapped, and a text wins only if both answers name it. A
judge that goes by position alone gives nothing but ties. This does not cure other biases: judges also favour long texts and
texts like their own, so the judge should be a different model from the teacher.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.backends import registry
from pipeline.backends.base import Generator, Request, Written
from pipeline.backends.screened import Screened
from pipeline.core import prompts
from pipeline.core.errors import ReviewInsightsError
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.metrics import check_pairs
from pipeline.metrics.scorer import Candidate, Columns, Interrupted, Scorer, pairs
from pipeline.text import private

PROMPT = "judge.v1"
_MARKERS = ("review", "text_a", "text_b")
_GAP = r"[\W_]*"  # spaces, colons, asterisks, quotes, brackets
# The verdict alone on its line, or after a word that announces it. "A refund would help" is no verdict.
_VERDICT = re.compile(
    rf"(?:^|\b(?:(?:my|the|final)\s+)*(?:verdict|answer|winner|choice|decision|judge?ment|better text|choose|it is|it's)\b)"
    rf"{_GAP}(?:is\b{_GAP})?(?:(?:text|option)\b{_GAP})?(?:([ab])|(?:an?\s+)?(?:tie|draw))"
    rf"(?:\s+(?:is\s+(?:the\s+)?better(?:\s+text)?|wins))?{_GAP}$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Verdict:
    """`value` is 1 where the first text wins, 0 where the second does, 0.5 for a tie, None where `error` says why not."""

    value: float | None
    reason: str  # for the given order, where "A" is the first text; then for the swapped order, if it differs
    error: str | None = None
    masked: Mapping[str, int] = field(default_factory=dict)  # kind -> values that the judge did not see


def scorer(profile: Profile) -> Scorer:
    """Fills `judge`, `judge_reason` and `judge_error` if the profile names a judge."""
    config = profile.judge

    def columns(rows: Sequence[Candidate], warehouse: Warehouse) -> Columns:
        model = registry.judge(profile)
        if model is None:
            return {}
        try:
            return _columns(compare([row["review"] for row in rows], *pairs(rows), model))
        except ReviewInsightsError as error:
            answers = error.answers or [None] * len(rows)
            raise Interrupted(_columns(answers), [verdict is not None for verdict in answers]) from error

    identity = [config.model, prompts.sha256(PROMPT), config.max_new_tokens] if config.backend != "none" else None
    if identity and config.masks:
        identity.append(f"masked {private.VERSION}")
    return Scorer(columns, {"judge": identity}, config.model, "both orders")


def _columns(verdicts: Sequence[Verdict | None]) -> Columns:
    return {
        "judge": [verdict.value if verdict else None for verdict in verdicts],
        "judge_reason": [verdict.reason if verdict else None for verdict in verdicts],
        "judge_error": [verdict.error if verdict else None for verdict in verdicts],
        "masked": [list(verdict.masked.items()) if verdict else None for verdict in verdicts],
    }


def compare(reviews: Sequence[str], first: Sequence[str], second: Sequence[str], generator: Generator) -> list[Verdict]:
    """One Verdict per row, in order: which of `first[i]` and `second[i]` is the better feedback on `reviews[i]`.

    The model is asked twice per row, all rows in one call of `generator.write`. Equal texts (white space aside) are a tie
    without asking. The mean of the values is the first text's share of wins, ties counting half. An answer that cannot be
    parsed gives a verdict with `error`. Raises InputError for lists that do not pair up, and BackendDown if the model
    cannot be reached, whose `answers` are the verdicts by then, None for a row without.
    """
    check_pairs(reviews, first, names=("reviews", "first"))
    check_pairs(first, second, names=("first", "second"))
    differing = [index for index in range(len(reviews)) if first[index].split() != second[index].split()]
    requests = []
    for index in differing:
        requests.append(_request(reviews[index], first[index], second[index]))
        requests.append(_request(reviews[index], second[index], first[index]))
    written, stopped = _asked(generator, requests)
    verdicts: list[Verdict | None] = [Verdict(0.5, "the texts are equal")] * len(reviews)
    for index, given, swapped in zip(differing, written[::2], written[1::2], strict=True):
        verdicts[index] = _verdict(given, swapped) if given and swapped else None
    if stopped:
        stopped.answers = verdicts
        raise stopped
    return [verdict for verdict in verdicts if verdict]


def _asked(
    generator: Generator, requests: Sequence[Request]
) -> tuple[Sequence[Written | None], ReviewInsightsError | None]:
    """The answers, None for a request without one, and what ended them early."""
    try:
        return Screened(generator).write(requests) if requests else [], None
    except ReviewInsightsError as error:
        return error.answers or [None] * len(requests), error


def _request(review: str, text_a: str, text_b: str) -> Request:
    data = {"review": review, "text_a": text_a, "text_b": text_b}
    return Request(prompts.render(PROMPT, **{name: _as_data(text) for name, text in data.items()}), {"text": review})


def _as_data(text: str) -> str:
    """A text that can neither close its own markers nor open those of another."""
    for marker in _MARKERS:
        text = prompts.as_data(text, marker)
    return text


def _verdict(given: Written, swapped: Written) -> Verdict:
    (winner, reason, error), (swapped_winner, swapped_reason, swapped_error) = _read(given), _read(swapped)
    if swapped_reason and swapped_reason != reason:
        reason = f"{reason} (Swapped:) {swapped_reason}".strip()
    errors = [f"{order} order: {why}" for order, why in (("given", error), ("swapped", swapped_error)) if why]
    if errors or winner is None or swapped_winner is None:
        return Verdict(None, reason, "; ".join(errors), given.masked)
    return Verdict(winner if winner == 1 - swapped_winner else 0.5, reason, masked=given.masked)


def _read(answer: Written) -> tuple[float | None, str, str | None]:
    """(1 for text A, 0 for text B, 0.5 for a tie, None if unclear; reason; error)."""
    if answer.error:
        return None, "", answer.error
    value, reason = parse(answer.text)
    if answer.truncated:  # its last line is not the one it would have ended with
        return None, reason, "the answer was cut at the token limit"
    return value, reason, None if value is not None else "no A, B or TIE in the last line of the answer"


def parse(answer: str) -> tuple[float | None, str]:
    """(1 for A, 0 for B, 0.5 for TIE, None if the last line with a letter or digit names none; reason in one line)."""
    lines = [line for line in answer.splitlines() if re.search(r"[^\W_]", line)]
    verdict = _VERDICT.search(lines[-1]) if lines else None
    if verdict is None:
        return None, " ".join(answer.split())
    before = " ".join(" ".join([*lines[:-1], lines[-1][: verdict.start()]]).split())
    value = {"a": 1.0, "b": 0.0}.get((verdict[1] or "").lower(), 0.5)
    return value, re.sub(r"^[\W_]*reason[\W_]*:[\W_]*", "", before, flags=re.IGNORECASE).strip(" *_`#")
