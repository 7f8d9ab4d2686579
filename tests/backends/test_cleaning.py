"""What of a model's output is its answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.backends.cleaning import ONLY_THOUGHT, clean, closes_unopened, opens_thinking, written

ANSWER = "The soup was cold.\n\n1. Warm it.\n2. Apologize."


@pytest.mark.parametrize(
    "raw",
    [
        f"<think>Okay, soup.\n1. Maybe heat?</think>\n\n{ANSWER}",
        f"<thinking>\nHm.\n</thinking>{ANSWER}",
        f"<reasoning>Hm.</reasoning>{ANSWER}",
        f"<THINK>Hm.</THINK>{ANSWER}",
        f"[THINK]Hm.[/THINK]{ANSWER}",
        f"◁think▷Hm.◁/think▷{ANSWER}",
        f"<|channel>thought\nHm.<channel|>{ANSWER}<turn|>",
        f"<unused94>thought\nHm.<unused95>{ANSWER}",
        f"<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
        f"<think>One <think>two</think> three</think>{ANSWER}",
        f"The prompt has opened it.</think>\n{ANSWER}",
        f"{ANSWER}\n<think>Shall I say more",
        f"<think></think>{ANSWER}",
    ],
)
def test_thinking_is_no_answer(raw: str) -> None:
    assert clean(raw) == ANSWER
    assert written(raw, False).raw == raw


@pytest.mark.parametrize(
    "raw",
    [
        "<think>Okay, the customer is unhappy. 1. Warm the",
        "<think>Okay.</think>",
        "<|channel|>analysis<|message|>We need steps. 1. Warm the",
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>I will look.<|end|>",
        "<|channel|>final",
        "analysisWe need to write steps. 1. Warm the",
        "[THINK]Hm.",
    ],
)
def test_thinking_alone_is_a_failure(raw: str) -> None:
    answer = written(raw, truncated=True)
    assert (answer.text, answer.raw, answer.truncated, answer.error) == ("", raw, True, ONLY_THOUGHT)


@pytest.mark.parametrize(
    "raw",
    [
        f"<|channel|>analysis<|message|>Hm. 1. No.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
        f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
        f"<|start|>assistant<|channel|>final <|constrain|>text<|message|>{ANSWER}<|end|>",
        f"Hm, the prompt began this.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
        f"analysisWe need steps.assistantfinal{ANSWER}",
    ],
)
def test_only_the_final_channel_counts(raw: str) -> None:
    assert clean(raw) == ANSWER


@pytest.mark.parametrize(
    "end",
    [
        "</s>",
        "<|im_end|>",
        "<|eot_id|>",
        "<|endoftext|>",
        "<|end|>",
        "<end_of_turn>",
        "<eos>",
        "<|end_of_text|>",
        "<｜end▁of▁sentence｜>",
        "<|return|>",
    ],
)
def test_text_ends_at_its_end(end: str) -> None:
    assert clean(ANSWER + end) == ANSWER
    assert clean(f"{ANSWER}{end}\n<|im_start|>user\nThank you! 1. Pay me.{end}") == ANSWER
    assert clean(f"{end}{ANSWER}") == ANSWER


@pytest.mark.parametrize(
    "raw",
    [
        f"[/INST] {ANSWER}",
        f"{ANSWER} [/INST]",
        f"<s>[INST] <<SYS>>Be kind.<</SYS>> A review. [/INST] {ANSWER}</s>",
        f"<|assistant|>\n{ANSWER}<|user|>\nAnother review.",
        f"<|im_start|>assistant\n{ANSWER}<|im_end|>",
        f"<|im_start|>user\nA review.<|im_end|>\n<|im_start|>assistant\n{ANSWER}",
        f"<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n{ANSWER}<|eot_id|>",
        f"<start_of_turn>model\n{ANSWER}<end_of_turn>",
        f"<|turn>model\n{ANSWER}<turn|>",
        f"<｜Assistant｜>{ANSWER}",
        f"<|im_start|>{ANSWER}",
        f"<answer>{ANSWER}</answer>",
        f"```\n{ANSWER}\n```",
        f"```markdown\n{ANSWER}\n```\n",
        f"~~~\n{ANSWER}\n~~~",
        f"```{ANSWER}```",
    ],
)
def test_what_a_template_or_markdown_left_over_goes(raw: str) -> None:
    assert clean(raw) == ANSWER


def test_nothing_is_nothing() -> None:
    for raw in ("", " \n", "</s>", "```\n```"):
        assert written(raw, False).error == "the model wrote nothing"


def test_a_prompt_may_open_the_thinking() -> None:
    assert opens_thinking("<|im_start|>assistant\n<think>\n")
    assert not opens_thinking("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not opens_thinking("What do you think?")
    assert closes_unopened(f"Hm.</think>{ANSWER}") and not closes_unopened(f"<think>Hm.</think>{ANSWER}")
    assert clean("Okay, soup. 1. Maybe heat", opened=True) == ""
    assert clean(f"Okay.</think>{ANSWER}", opened=True) == ANSWER


plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>[]`~|◁▷"), max_size=200)
markers = st.sampled_from(
    [
        "<think>",
        "</think>",
        "<thinking>",
        "</reasoning>",
        "[THINK]",
        "[/THINK]",
        "</s>",
        "<s>",
        "<|im_end|>",
        "<|im_start|>user",
        "<|im_start|>assistant",
        "<|eot_id|>",
        "<|endoftext|>",
        "<|end|>",
        "<end_of_turn>",
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
        "<|start|>",
        "[/INST]",
        "[INST]",
        "<|assistant|>",
        "<|user|>",
        "```",
        "```json",
        "<|",
        "|>",
        "<|im",
        "<th",
        "ink>",
        "_end|>",
        "/",
        "<",
        ">",
    ]
)
MARKER = re.compile(r"</?(?:think|thinking|reasoning|s|end_of_turn)>|<\|\w+\|>|\[/?(?:THINK|INST)\]|```")


@settings(derandomize=True, deadline=None)
@given(plain)
def test_a_plain_answer_stays_as_it_is(text: str) -> None:
    assert clean(text) == text.strip()


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.one_of(markers, plain, st.just(ANSWER)), max_size=12).map("".join))
def test_no_marker_survives(raw: str) -> None:
    assert not MARKER.search(clean(raw))


@settings(derandomize=True, deadline=None)
@given(
    st.sampled_from(["<think>Hm. 1. No.</think>", "<|im_start|>assistant\n", "```\n", ""]),
    st.sampled_from(["</s>", ""]),
)
def test_while_it_is_written_each_answer_begins_with_the_one_before(head: str, tail: str) -> None:
    raw, shown = f"{head}{ANSWER}{tail}", ""
    for end in range(len(raw) + 1):
        stable = re.sub(r"\S+$", "", clean(raw[:end])).strip()
        assert stable.startswith(shown) and ANSWER.startswith(stable)
        shown = stable
