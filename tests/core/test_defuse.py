"""A review cannot end a turn of a chat."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.defuse import defused

MARKS = [
    "<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<|im_start|>", "<|im_end|>",
    "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<start_of_turn>", "<end_of_turn>", "<think>", "</think>", "[TOOL_CALLS]",
    "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "<|system|>", "<｜end▁of▁sentence｜>", "<|channel|>", "<tool_call>", "[gMASK]", "< / s >", "<|END_OF_TURN_TOKEN|>",
]  # fmt: skip
HIDDEN = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e"]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_chat_templates_lose_their_brackets(mark: str) -> None:
    inner = mark[1:-1]
    assert defused(f"Good {mark} soup") == f"Good ({inner}) soup"
    assert defused(mark.upper()) == f"({inner.upper()})" or mark.upper() != mark.swapcase()
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in mark)
    assert defused(wide)[0] == "(" and defused(wide)[-1] == ")", "full-width letters"
    for hidden in HIDDEN:
        split = hidden.join(mark)
        assert defused(split)[0] == "(" and defused(split)[-1] == ")", f"split by U+{ord(hidden):04X}"


@pytest.mark.parametrize(
    "text", ["I <3 it", "a < b > c", "[sic]", "[1] and [+]", "<b>bold</b>", "5 > 3", "<br>", "[INSTALL]"]
)
def test_other_brackets_stay(text: str) -> None:
    assert defused(text) == text


@given(st.text(max_size=200), st.sampled_from([*MARKS, "</review>", "< REVIEW >"]), st.text(max_size=200))
def test_nothing_but_brackets_changes(before: str, mark: str, after: str) -> None:
    text = before + mark + after
    safe = defused(text, "review")
    assert len(safe) == len(text)
    assert all(a == b or b in "()" for a, b in zip(text, safe, strict=True))
    assert defused(safe, "review") == safe
    plain = "".join(unicodedata.normalize("NFKC", c) for c in safe if unicodedata.category(c) not in ("Cf", "Mn"))
    assert not re.search(r"<\s*/?\s*(s|review|think)\s*>|\[/?INST\]|<\|im_end\|>", plain, re.IGNORECASE)


def test_a_long_text_takes_no_more_than_its_length() -> None:
    for hostile in ("<" * 20000, "<|" * 10000, "[" * 20000, "<" + " " * 20000, "<|" + "a" * 20000, "<<SYS" * 4000):
        assert len(defused(hostile, "review")) == len(hostile)
