"""Turns an unhappy review into the request to a model: one rendering for teacher and student."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.advice import markers, verify
from pipeline.advice.complaints import Complaint, find_complaints
from pipeline.advice.phrases import ENGLISH
from pipeline.advice.problems import Problem, in_language, own_problems
from pipeline.advice.wording import name
from pipeline.backends.base import Request
from pipeline.core import prompts
from pipeline.core.rows import UnhappyReview
from pipeline.text.language import language_name
from pipeline.themes.taxonomy import Aspect, load_aspects

_EXAMPLES = 2  # in a prompt


def shorten(text: str, limit: int) -> str:
    """The opening and the end of a text longer than `limit` characters, cut between words; 0 means no limit."""
    if not limit or len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-limit // 3 :]
    return f"{head.rsplit(' ', 1)[0]} … {tail.split(' ', 1)[-1]}"


def request(
    row: UnhappyReview, prompt: str, max_characters: int = 0, taxonomy: Path | None = None, language: str = ENGLISH
) -> Request:
    """The request to a model about one unhappy review, which goes into the prompt as data (`prompts.as_data`).

    `prompt`: name and version of a template; `max_characters`: of the review, see `shorten`; `taxonomy`: the playbook file
    that labels the complaints, None for the shipped one; `language`: that the playbook and checked answers are
    written in. Raises InputError for a prompt that does not exist.
    """
    themes = [theme["theme"].replace("_", " ") for theme in row["themes"] or [] if theme["sentiment"] != "positive"]
    variables: dict[str, Any] = {
        "stars": row["stars"],
        "emotions": list(row["emotions"] or []),
        "themes": themes[:3],
        "review": prompts.as_data(shorten(row["text"], max_characters)),
    }
    is_json = prompts.asks_for_json(prompt)
    if not is_json and not prompts.has_slots(prompt):
        return Request(prompts.render(prompt, **variables), row, on_text=row.get("on_text"), language=language)
    aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}
    if is_json:
        variables |= _findings(row, aspects, in_language(ENGLISH, taxonomy)) | {"language": language_name(language)}
        variables["examples"] = _examples(row, own_problems(taxonomy))
        return Request(prompts.render(prompt, **variables), row, language=language, schema=verify.SCHEMA)
    complaints = find_complaints(row, aspects, in_language(ENGLISH, taxonomy))
    slots = markers.slots(row, complaints, aspects)
    variables |= _told(complaints, slots) | {"business": slots.get(markers.NAME)}
    # A text with markers is not shown while it is written: they are filled in at the end.
    on_text = None if slots else row.get("on_text")
    return Request(prompts.render(prompt, **variables), row, slots, on_text, language)


def _told(complaints: Sequence[Complaint], slots: markers.Slots) -> dict[str, Any]:
    """What a small model is told of the complaints: label, problem of the library, and a few of the customer's words."""
    few = {
        marker: prompts.as_data(variants[markers.SHORT]) for marker, variants in slots.items() if marker != markers.NAME
    }
    told = [
        {
            "label": complaint.label,
            "problem": complaint.problem.name if complaint.problem else None,
            "evidence": few.get(f"[{number}]", ""),
        }
        for number, complaint in enumerate(complaints, 1)
    ]
    return {"complaints": told, "also": few.get("[+]")}


def _findings(row: UnhappyReview, aspects: Mapping[str, Aspect], problems: Mapping[str, Problem]) -> dict[str, Any]:
    """What the reader found, worst first, with the library's name of a problem where one is sure; the business's name."""
    found = [
        {
            "label": complaint.problem.name if complaint.problem else complaint.label,
            "evidence": prompts.as_data(complaint.evidence),
        }
        for complaint in find_complaints(row, aspects, problems)
        if complaint.is_negative
    ]
    return {"complaints": found, "business": prompts.as_data(name(row.get("business")) or "") or None}


def _examples(row: UnhappyReview, own: Sequence[Problem]) -> list[dict[str, str]]:
    """How complaints of other customers are answered, by a playbook's own problems of the themes that this one complains of. Not
    by those that it is a case of: a model would copy them, and the playbook says them anyway.
    """
    complained = [theme for theme in row["themes"] or [] if theme["sentiment"] == "negative"]
    themes, cases = ({theme.get(key) for theme in complained} for key in ("theme", "problem"))
    fitting = [problem for problem in own if problem.theme in themes and problem.id not in cases]
    return [
        {"review": prompts.as_data(said), "answer": _answer(problem, said)}
        for problem in fitting[:_EXAMPLES]
        for said in dict(problem.say)[ENGLISH][:1]
    ]


def _answer(problem: Problem, said: str) -> str:
    """What should be said of a sentence, by `verify.SCHEMA`."""
    texts = {"problem": problem.name, "evidence": said, "cause": problem.cause}
    told: dict[str, Any] = {key: prompts.as_data(text) for key, text in texts.items()}
    return json.dumps(
        {"complaints": [told | {"steps": [prompts.as_data(step) for step in problem.fix]}]}, ensure_ascii=False
    )
