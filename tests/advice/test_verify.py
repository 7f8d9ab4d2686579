"""What a model tells an owner is proved by the review, answers it, and invents nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.advice import verify
from pipeline.advice.verify import Advised

REVIEW = "We ordered the fried pickles.\nThey came  cold after 40 minutes, and the waiter shrugged. Lovely garden."
GOOD = {
    "problem": "Fried pickles served cold",
    "evidence": "They came cold after 40 minutes",
    "cause": "Fried dishes wait at the pass while servers take orders.",
    "steps": ["The kitchen lead calls a runner as soon as fried dishes stand at the pass."],
}


def answer(**changes: Any) -> str:
    return json.dumps({"complaints": [GOOD | changes]})


def faults(language: str = "en", review: str = REVIEW, **changes: Any) -> list[str]:
    return verify.faults(verify.read(answer(**changes)), review, language)


def test_a_good_answer_has_no_faults_and_its_evidence_is_the_reviews() -> None:
    (one,) = verify.read(answer())
    assert verify.faults([one], REVIEW, "en") == []
    located = verify.located(one, REVIEW)
    assert located is not None and located.evidence == "They came  cold after 40 minutes" and located.evidence in REVIEW


@pytest.mark.parametrize("around", ["```json\n{}\n```", "Sure! Here it is: {} Hope that helps.", "{}"])
def test_whatever_stands_around_the_json(around: str) -> None:
    assert verify.read(around.replace("{}", answer()))[0].problem == GOOD["problem"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1. Serve it hot.", "no JSON"),
        ('{"complaints": [}', "cannot be read"),
        ('{"complaints": []}', "one to three"),
        ('{"advice": "x"}', "one to three"),
        ('{"complaints": ["cold"]}', "must be an object"),
        (answer(evidence=""), "needs"),
        (answer(steps=[]), "at least one"),
        (answer(steps=[3]), "list"),
        (answer(cause=None), "needs"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify.read(text)


def test_a_single_step_and_too_many_are_understood() -> None:
    assert verify.read(answer(steps="Serve pickles hot."))[0].steps == ("Serve pickles hot.",)
    assert len(verify.read(answer(steps=["Serve."] * 9))[0].steps) == verify.MOST


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"evidence": "The pickles were ice cold"}, "not in the review, letter for letter"),
        ({"steps": ["Hold a monthly meeting."]}, "answers nothing"),
        ({"steps": ["Offer a refund for the cold pickles."]}, "promises money or a gift"),
        ({"steps": ["Give cold pickles free of charge."]}, "promises money or a gift"),
        ({"steps": ["Knock $5 off cold pickles."]}, "names a sum"),
        ({"cause": "Fried dishes wait 15 minutes at the pass."}, "number 15 is not in the review"),
        ({"steps": ["Let the cook Giovanni taste the fried pickles."]}, "name Giovanni is not in the review"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], fault: str) -> None:
    found = faults(**changes)
    assert len(found) == 1 and fault in found[0]


def test_what_the_review_says_may_be_said() -> None:
    assert faults(cause="Fried dishes wait 40 minutes at the pass.") == []
    named = REVIEW + " Giovanni served us."
    assert faults(review=named, steps=["Ask the cook, Giovanni, about fried pickles."]) == []


def test_the_language_must_be_the_owners() -> None:
    assert faults("de") and "not written in the language de" in faults("de")[-1]
    german = {
        "problem": "Frittierte Gurken kalt serviert",
        "cause": "Frittierte Gurken stehen am Pass, während der Service Bestellungen aufnimmt.",
        "steps": ["Die Küchenleitung ruft den Service, sobald frittierte Gurken am Pass stehen."],
    }
    assert faults("de", **german) == []


def test_scripts_without_blanks() -> None:
    review = "炸黄瓜上来已经凉了，等了四十分钟。"
    one = Advised("炸黄瓜凉了", "炸黄瓜上来已经凉了", "炸物在出餐口等人端。", ("炸物一出锅，厨师长马上叫人端走。",))
    assert verify.faults([one], review, "zh") == []
    other = Advised("炸黄瓜凉了", "炸黄瓜上来已经凉了", "炸物在出餐口等人端。", ("每月开一次会议。",))
    assert "answers nothing" in verify.faults([other], review, "zh")[0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=80))
def test_any_characters(review: str, evidence: str, step: str) -> None:
    one = Advised("p", evidence, "c", (step,))
    located = verify.located(one, review)
    assert located is None or located.evidence in review
    assert all(isinstance(fault, str) for fault in verify.faults([one], review, "en"))
