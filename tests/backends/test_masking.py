"""What a model on somebody else's machine is shown of the customers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.advice import checked
from pipeline.advice.request import request
from pipeline.advice.writer import Playbook
from pipeline.backends import registry
from pipeline.backends.base import Request, Written
from pipeline.backends.masking import MaskingGenerator
from pipeline.core import prompts
from pipeline.core.assets import PROMPTS
from pipeline.core.errors import BackendDown
from pipeline.core.profile import Feedback, Judge, Profile, load
from pipeline.metrics import judge
from pipeline.stages import feedback
from pipeline.text.private import masked
from pipeline.tuning import augment
from tests.answering import answering

TEXT = "The soup came cold, and Dr. Meyer never answered anna@example.com or +49 151 23456789."
REVIEW: dict[str, Any] = {"review_id": "a", "text": TEXT, "stars": 1.0, "emotions": [], "language": "en", "themes": []}
PRIVATE = ("Meyer", "anna@example.com", "23456789")


class Echo:
    """Answers with what `answer` makes of each prompt; raises `error` after that, if there is one."""

    model = "echo"

    def __init__(self, answer: Any, error: BackendDown | None = None) -> None:
        self.answer, self.error, self.asked = answer, error, list[Request]()

    def write(self, requests: Sequence[Request]) -> list[Written]:
        self.asked += requests
        written = [Written(self.answer(one.prompt), self.answer(one.prompt)) for one in requests]
        for one, sent in zip(written, requests, strict=True):
            if sent.on_text:
                sent.on_text(one.text)
        if self.error:
            self.error.answers = [*written[:-1], None]
            raise self.error
        return written


def advice(evidence: str) -> str:
    """A good answer by the schema."""
    steps = ["Let a person answer each mail about cold soup within a day."]
    one = {
        "problem": "No answer about cold soup",
        "evidence": evidence,
        "cause": "The mail is not read.",
        "steps": steps,
    }
    return json.dumps({"complaints": [one]})


@pytest.mark.parametrize("prompt", sorted(file.stem for file in PROMPTS.glob("feedback.*.jinja")))
def test_no_prompt_shows_who_wrote_or_of_whom(prompt: str) -> None:
    teacher = Echo(lambda asked: asked)
    (written,) = MaskingGenerator(teacher).write([request(REVIEW, prompt)])
    (asked,) = teacher.asked
    assert "[name] never answered [e-mail] or [phone]" in asked.prompt
    assert not [value for value in PRIVATE if value in asked.prompt]
    assert all(value in written.text for value in PRIVATE) and written.text == request(REVIEW, prompt).prompt
    assert written.raw == asked.prompt and written.masked == {"name": 1, "e-mail": 1, "phone": 1}


def test_the_words_of_our_prompts_are_nobodys_name() -> None:
    ordinary = REVIEW | {"text": "The soup came cold."}
    for file in PROMPTS.glob("*.jinja"):
        if file.stem == judge.PROMPT:
            asked = prompts.render(file.stem, review="Cold.", text_a="1. Warm it.", text_b="2. Heat it.")
        elif file.stem == augment.PROMPT:
            asked = prompts.render(file.stem, language="German", text="The soup came cold.")
        else:
            asked = request(ordinary, file.stem).prompt
        assert masked(asked) == asked


def test_a_quote_of_what_was_sent_is_a_quote_of_the_review() -> None:
    teacher = Echo(lambda asked: advice("[Name] never answered [e-mail]"))
    (written,) = checked.write(MaskingGenerator(teacher), Playbook(), [request(REVIEW, "feedback.v2")])
    assert not written.faults and "“Meyer never answered anna@example.com”" in written.text
    assert "[e-mail]" in written.raw


def test_a_quote_of_something_else_is_a_fault_and_the_second_question_is_masked_too() -> None:
    teacher = Echo(lambda asked: advice("[name] shouted at [e-mail]"))
    (written,) = checked.write(MaskingGenerator(teacher), Playbook(), [request(REVIEW, "feedback.v2")])
    assert written.model == Playbook.model and written.faults and written.masked["e-mail"] == 1
    assert len(teacher.asked) == 2 and not [value for value in PRIVATE if value in teacher.asked[1].prompt]


def test_what_was_answered_before_a_failure_is_put_back_too() -> None:
    teacher = MaskingGenerator(Echo(lambda asked: asked, BackendDown("gone")))
    with pytest.raises(BackendDown) as caught:
        teacher.write([request(REVIEW, "feedback.v1")] * 2)
    first, second = caught.value.answers or ()
    assert first and TEXT in first.text and second is None


def test_a_text_is_shown_as_it_is_while_it_is_being_written() -> None:
    shown = list[str]()
    asked = request(REVIEW | {"on_text": shown.append}, "feedback.v1")
    MaskingGenerator(Echo(lambda prompt: prompt)).write([asked])
    assert shown == [asked.prompt]


def test_by_default_only_what_leaves_our_network_is_masked() -> None:
    far, near = "https://api.example.com/v1", "http://localhost:11434/v1"
    for section in (Feedback, Judge):
        assert section(backend="openai", base_url=far).masks
        assert not section(backend="openai", base_url=near).masks
        assert section(backend="openai", base_url=near, mask="always").masks
        assert not section(backend="openai", base_url=far, mask="never").masks
    assert not Feedback(mask="always").masks, "the playbook asks no model"
    assert Feedback(backend="transformers", mask="always").masks and not Feedback(backend="transformers").masks
    assert not Judge(mask="always").masks


def test_what_is_masked_is_part_of_the_fingerprint_and_nothing_else_changes() -> None:
    plain = load("server")
    hidden = dataclasses.replace(plain, feedback=dataclasses.replace(plain.feedback, mask="always"))
    assert "masked" not in feedback.spec(plain) and feedback.spec(hidden)["masked"]
    assert {**feedback.spec(plain), "masked": feedback.spec(hidden)["masked"]} == feedback.spec(hidden)


def test_the_registry_masks_for_every_server(tmp_path: Path) -> None:
    bodies: list[Any] = []

    def respond(asked: Any) -> tuple[int, Any]:
        bodies.append(asked)
        message = {"role": "assistant", "content": "Thank [name].\n\n1. Write to [e-mail] today."}
        return 200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    with answering(respond) as url:
        profile = _asking(url, mask="always")
        assert not isinstance(registry.teacher(_asking(url, mask="never")), MaskingGenerator)
        (written,) = feedback.write(registry.teacher(profile), profile, [REVIEW], "en")  # type: ignore[list-item]
        verdict = registry.judge(profile)
        assert verdict
        judge.compare([TEXT], ["Call +49 151 23456789."], ["Write."], verdict)
    assert len(bodies) == 3 and not [value for value in PRIVATE if value in json.dumps(bodies)]
    assert written.text == "Thank Meyer.\n\n1. Write to anna@example.com today."


def _asking(url: str, mask: Any) -> Profile:
    profile = load("server")
    asked = {"base_url": f"{url}/v1", "model": "m", "mask": mask}
    return dataclasses.replace(
        profile,
        feedback=dataclasses.replace(profile.feedback, prompt="feedback.v1", **asked),
        judge=Judge(backend="openai", **asked),
    )
