"""Customers' words made harmless for models: without the marks that end a section of a prompt or a turn of a chat.

A tokenizer reads "</s>" or "<|im_end|>" as the end of a turn wherever it stands, and a server's template pastes what it is
given. Here the outer brackets of such a mark become round ones, and nothing else changes. A mark is found behind full-width letters,
look-alikes and invisible characters too, since servers normalise text in their own ways.
"""

from __future__ import annotations

import functools
import re
import unicodedata

# What normalising a text does not make equal, and a model or a person still takes for the other: look-alike brackets, bars and
# slashes, and Cyrillic and Greek letters. One for one.
_ALIKE = str.maketrans(
    "‹〈⟨❮❰ᐸ≺˂›〉⟩❯❱ᐳ≻˃【〔⟦❲⁅】〕⟧❳⁆ǀ∣│┃❘¦⁄∕⧸"
    "АВЕЅІЈКМНОРСТХаеорсухѕіјԁԛԝɡ"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοι",
    "<<<<<<<<>>>>>>>>[[[[[]]]]]||||||///"
    "ABESIJKMHOPCTXaeopcyxsijdqwg"
    "ABEZHIKMNOPTYXoi",
)  # fmt: skip
_BRACKETS = re.compile("[<[◁\uff1c\ufe64\uff3b\ufe47‹〈\u2329⟨❮❰ᐸ≺˂【〔⟦❲⁅]")  # without one there is no mark
_NAMES = (
    r"s|bos|eos|pad|unk|mask|cls|sep|sop|eop|eod|eot|pre|mid|suf|think|thinking|thoughts?|reasoning|reflection|seed:\w{1,20}|"
    r"tools?|tool_calls?|tool_responses?|tool_outputs?|function_calls?|functions?|start_of_turn|end_of_turn|start_of_\w{1,20}|"
    r"end_of_\w{1,20}|endoftext|turn|channel|message|system|user|assistant|model|human|instructions?|answer|response|"
    r"im_start|im_end|fim_\w{1,20}|unused_?\d{1,5}|extra_id_\d{1,5}|reserved_\w{1,30}|special_\w{1,30}|image|image_soft_token|img|"
    r"video|audio"
)
_WORDS = (
    r"INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|IMG|IMG_BREAK|IMG_END|PREFIX|SUFFIX|MIDDLE|"
    r"MODEL_SETTINGS|THINK|THINKING|REASONING|control_\d{1,5}|gMASK|sop|CLS|SEP|MASK|UNK|PAD|BOS|EOS"
)
_GAP = r"\s{0,8}"  # bounded, as every run here: a text of brackets and blanks must not take the square of its length


def _any_of(*shapes: str) -> re.Pattern[str]:
    """Any of these shapes, in any case, with blanks where they have one."""
    return re.compile("|".join(shape.replace(" ", _GAP) for shape in shapes), re.IGNORECASE)


_MARKS = _any_of(
    "<< /? SYS >>",
    rf"< /? \|? (?:{_NAMES}) \|? >",
    r"< /? \|[^<>\n]{0,60}?\| >",
    r"< [|▁_]{0,2}(?:begin|end)[▁_]of[▁_]\w{1,20}[|▁_]{0,2} >",
    rf"\[ /? (?:{_WORDS}) \]",
    "◁ /? think ▷",
)


def defused(text: str, marker: str = "") -> str:
    """`text` with round brackets in place of those around marks of chat templates, and around an opening or closing `marker`."""
    if not _BRACKETS.search(text):
        return text
    plain, places = _folded(text)
    characters = list(text)
    for pattern in (_MARKS, _of(marker)) if marker else (_MARKS,):
        for found in pattern.finditer(plain):
            first, last = places[found.start()], places[found.end() - 1]
            characters[first], characters[last] = "(", ")"
    return "".join(characters)


@functools.cache
def _of(marker: str) -> re.Pattern[str]:
    return _any_of(f"< /? {re.escape(marker)} >")


def _folded(text: str) -> tuple[str, list[int]]:
    """(text without invisible characters and in compatible forms, the place in `text` of each of its characters)."""
    folded, places = [], []
    for place, character in enumerate(text):
        if unicodedata.category(character) in ("Cf", "Mn"):
            continue
        for form in unicodedata.normalize("NFKC", character):
            folded.append(form)
            places.append(place)
    return "".join(folded).translate(_ALIKE), places
