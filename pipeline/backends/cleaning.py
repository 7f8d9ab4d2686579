"""The answer in what a model put out: without its thinking, the markers of its chat template, and code fences.

A server removes these for the models that it recognises, and leaves them in for others. The markers are those of Llama,
Mistral, Qwen, Gemma, Phi, DeepSeek, gpt-oss (harmony), Cohere, Kimi, GLM and their derivatives.
"""

from __future__ import annotations

import re

from pipeline.backends.base import Written

NOTHING = "the model wrote nothing"
ONLY_THOUGHT = "the model only thought; raise max_new_tokens"

_NAMES = r"\s*(?:think|thinking|thoughts?|reasoning|reflection|seed:think)\s*"
_OPEN = re.compile(
    rf"<\|?{_NAMES}\|?>|\[(?:think(?:ing)?|reasoning)\]|◁think▷|<\|begin_of_thought\|>|<\|START_THINKING\|>"
    r"|<\|channel>thought\b|<unused94>(?:thought\b)?",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"<\|?/{_NAMES}\|?>|\[/(?:think(?:ing)?|reasoning)\]|◁/think▷|<\|end_of_thought\|>|<\|END_THINKING\|>"
    r"|<channel\|>|<unused95>",
    re.IGNORECASE,
)
_THOUGHT = re.compile(f"(?P<opens>{_OPEN.pattern})|{_CLOSE.pattern}", re.IGNORECASE)
_ROUNDS = 20  # of cleaning: marks within marks within marks are no accident

# <|channel|>NAME<|message|>BODY and one of several ends: https://github.com/openai/harmony
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?P<name>\w*).*?"
    r"(?:<\|message\|>(?P<body>.*?))?(?=<\|(?:start|channel|end|return|call)\|>|\Z)",
    re.DOTALL,
)
# The same from a server that dropped the special tokens but kept the channels' names.
_BARE_CHANNEL = re.compile(r'\s*analysis(?=[A-Z*"]).*?(?:assistantfinal|\Z)', re.DOTALL)

_ROLES = r"(?:assistant|model|chatbot|user|human|system|developer|tool|observation|function|ipython)"
_TURN = re.compile(
    rf"(?:<\|(?:im_start|start_header_id|start)\|>|<\|turn>|<start_of_turn>)[ \t]*(?P<named>{_ROLES})\b"
    r"|<[|｜](?P<alone>assistant|user|system|tool|observation)[|｜]>"
    r"|(?P<instruction>\[INST\]|<</?SYS>>|\[/?SYSTEM_PROMPT\])|(?P<answer>\[/INST\])",
    re.IGNORECASE,
)
_END = re.compile(
    r"</s>|<eos>|<end_of_turn>|<end_of_utterance>|<turn\|>|\[EOS\]|<EOT>|</(?:assistant|answer|response)>"
    r"|<[|｜](?:im_end|eot_id|eom_id|endoftext|end_of_text|eot|end|return|call|end▁of▁sentence|end▁of▁turn"
    r"|END_OF_TURN_TOKEN|END_RESPONSE|end_of_solution)[|｜]>",
    re.IGNORECASE,
)
_TOKEN = re.compile(  # any other special token
    r"<[|｜][^<>|｜\s]{1,40}[|｜]>|<\|turn>|<start_of_turn>|</?s>|<(?:bos|pad|unk|mask|assistant|answer|response)>|<unused\d+>",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[\w+-]*[ \t]*(?:\n|\Z)|`{3,}(?:json|markdown|text)?", re.MULTILINE)


def written(raw: str, truncated: bool, opened: bool = False) -> Written:
    """The Written for an output, with an error where it holds no answer. `truncated`, `opened`: see Written and `clean`."""
    text = clean(raw, opened)
    error = None if text else ONLY_THOUGHT if opened or _thought(raw) else NOTHING
    return Written(text, raw, truncated=truncated, error=error)


def clean(raw: str, opened: bool = False) -> str:
    """The answer in a model's output, trimmed; empty where there is none, such as in thinking alone. `opened`: the prompt
    ended within the thinking. A text without markers comes back as it is.

    While an output is being written, each answer begins with the one before, but for its last word.
    """
    before, text = "", f"<think>{raw}" if opened else raw
    for _ in range(_ROUNDS):  # what is left around a marker may form another
        if text == before:
            break
        before, text = text, _once(text)
    return text.strip()


def opens_thinking(prompt: str) -> bool:
    """Whether a prompt ends with a mark that opens the thinking, as some chat templates do."""
    marks = list(_OPEN.finditer(prompt))
    return bool(marks) and not prompt[marks[-1].end() :].strip()


def closes_unopened(raw: str) -> bool:
    """Whether an output ends a thinking that it did not begin: the prompt did."""
    return bool(_CLOSE.search(_without_thoughts(raw)))


def _thought(raw: str) -> bool:
    return bool(_OPEN.search(raw) or _CLOSE.search(raw) or "<|channel|>" in raw or _BARE_CHANNEL.match(raw))


def _once(text: str) -> str:
    return _FENCE.sub("", _TOKEN.sub("", _first_turn(_final_channel(_without_thinking(text)))))


def _without_thoughts(text: str) -> str:
    """Without what stands between an opening mark and the next closing one. In one pass: a pattern for both would read to the end
    of a text for each of a thousand marks that nothing closes.
    """
    kept, at, opened = list[str](), 0, -1
    for mark in _THOUGHT.finditer(text):
        if mark["opens"] and opened < 0:
            opened = mark.start()
        elif not mark["opens"] and opened >= 0:
            kept.append(text[at:opened])
            at, opened = mark.end(), -1
    return "".join(kept) + text[at:]


def _without_thinking(text: str) -> str:
    """Thinking that was cut off ends with the text; thinking that the prompt opened begins with it."""
    text = _without_thoughts(text)
    for close in list(_CLOSE.finditer(text))[-1:]:
        text = text[close.end() :]
    opening = _OPEN.search(text)
    return text[: opening.start()] if opening else text


def _final_channel(text: str) -> str:
    """Of an output in channels, the final one alone."""
    if "<|channel|>" in text:
        return "".join(part["body"] or "" for part in _CHANNEL.finditer(text) if part["name"] == "final")
    return _BARE_CHANNEL.sub("", text, count=1) if _BARE_CHANNEL.match(text) else text


def _first_turn(text: str) -> str:
    """The model's first turn that says anything: a prompt may be echoed before it, and a made-up customer may follow."""
    start, answers = 0, True
    for mark in sorted([*_TURN.finditer(text), *_END.finditer(text)], key=lambda mark: mark.start()):
        if answers and _TOKEN.sub("", text[start : mark.start()]).strip():
            return text[start : mark.start()]
        start, answers = mark.end(), mark.re is _END or _begins_answer(mark)
    return text[start:] if answers else ""


def _begins_answer(mark: re.Match[str]) -> bool:
    role = mark["named"] or mark["alone"]
    return role.lower() in ("assistant", "model", "chatbot") if role else bool(mark["answer"])
