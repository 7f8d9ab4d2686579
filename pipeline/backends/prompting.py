"""From a prompt to the token ids that a chat model reads."""

from __future__ import annotations

from typing import Any

from pipeline.backends.cleaning import opens_thinking


class Prompting:
    """For one tokenizer, with or without a chat template. `opens_thinking`: whether the template begins the answer with a thought."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder.values()
        self.marks = sorted({*tokenizer.all_special_tokens, *(str(token) for token in added if token.special)})
        self.opens_thinking = bool(tokenizer.chat_template) and opens_thinking(self._in_template("A review."))

    def ids(self, prompt: str) -> list[int]:
        """None of them special but those of the template: whatever this tokenizer's own are."""
        for mark in self.marks:
            prompt = prompt.replace(mark, f"({mark[1:-1]})")
        if self.tokenizer.chat_template:
            return list(self.tokenizer(self._in_template(prompt), add_special_tokens=False)["input_ids"])
        return list(self.tokenizer(prompt)["input_ids"])

    def _in_template(self, prompt: str) -> str:
        chat = [{"role": "user", "content": prompt}]
        return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))


def no_room(tokens: int, room: int, model: str) -> str:
    """The error of a prompt that leaves no room for the answer."""
    return f"the prompt has {tokens} tokens, {model} has room for {max(room, 0)}"
