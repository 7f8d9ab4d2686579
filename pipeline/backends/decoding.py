"""Writes many texts at once with a causal language model: continuous batching around transformers' `generate`.

By itself, `generate` goes on until the longest text of its batch is written, and computes padding for all that ended before. Here
it is called for a few tokens at a time: texts that have ended leave the batch, and waiting ones join it, those with the shortest
prompts first. What all prompts begin with is computed once. Greedy texts are those that `generate` writes by itself.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVERY = 8  # tokens, after which texts leave and join; a call of `generate` costs about as much as a token of a batch
SHARED = 16  # tokens that prompts must have in common for it to pay

OnTokens = Callable[[int, list[int]], None]


def decode(
    network: Any,
    prompts: Sequence[Sequence[int]],
    options: Mapping[str, Any],
    batch_size: int,
    on_tokens: OnTokens | None = None,
) -> list[list[int]]:
    """The token ids written after each prompt (token ids), in order; padding may follow the one that ends a text.

    `options`: of `generate`, with max_new_tokens, pad_token_id and eos_token_id among them. `on_tokens`: called after each token
    with a prompt's index and what is written after it so far.
    """
    limit, separable = options["max_new_tokens"], _separable(network)
    prefix = _prefix(network, prompts, options) if separable else None
    waiting = deque(sorted(range(len(prompts)), key=lambda index: len(prompts[index])))
    results: dict[int, list[int]] = {}
    batch: _Batch | None = None
    while waiting or batch:
        room = batch_size - (len(batch.indexes) if batch else 0)
        if waiting and (batch is None or (separable and 4 * room >= batch_size)):
            indexes = [waiting.popleft() for _ in range(min(room, len(waiting)))]
            new = _padded(network, prompts, indexes, options["pad_token_id"], prefix)
            new.write(network, options, 1 if separable else limit, on_tokens)
            batch = batch.joined(new, options["pad_token_id"]) if batch else new
        elif batch:
            batch.write(network, options, min(EVERY, limit - max(batch.written)), on_tokens)
        if batch:
            results |= batch.ended(limit, options["eos_token_id"])
            batch = batch if batch.indexes else None
    return [results[index] for index in range(len(prompts))]


@dataclass
class _Batch:
    """Texts that are being written: `ids` and `mask` (texts, columns), `cache` of all columns but the last."""

    indexes: list[int]
    written: list[int]  # tokens of each text so far
    ids: Any
    mask: Any
    cache: Any

    def write(self, network: Any, options: Mapping[str, Any], count: int, on_tokens: OnTokens | None) -> None:
        """At most `count` tokens more of each text: fewer where all of them end."""
        import torch

        more: dict[str, Any] = {} if self.cache is None else {"past_key_values": self.cache}
        if on_tokens:
            more["stopping_criteria"] = self._reporting(on_tokens)
        with torch.inference_mode():
            output = network.generate(
                input_ids=self.ids, attention_mask=self.mask, **{**options, "max_new_tokens": count}, **more
            )
        added = output.shape[1] - self.ids.shape[1]
        self.ids, self.mask = output, torch.nn.functional.pad(self.mask, (0, added), value=1)
        self.written = [tokens + added for tokens in self.written]

    def _reporting(self, on_tokens: OnTokens) -> Any:
        """Stopping criteria that never stop: `generate` calls them after each token of a whole batch, whereas a streamer takes
        only a single text.
        """
        from transformers import StoppingCriteria, StoppingCriteriaList

        starts = [self.ids.shape[1] - tokens for tokens in self.written]
        indexes = list(self.indexes)

        class ReportTokens(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **unused: Any) -> Any:
                for index, start, row in zip(indexes, starts, input_ids, strict=True):
                    on_tokens(index, row[start:].tolist())
                return input_ids.new_zeros(len(input_ids), dtype=bool)

        return StoppingCriteriaList([ReportTokens()])

    def ended(self, limit: int, end: int) -> dict[int, list[int]]:
        """Index -> token ids of the texts that have ended, which leave the batch."""
        tokens = [row[len(row) - count :] for row, count in zip(self.ids.tolist(), self.written, strict=True)]
        done = {row for row, text in enumerate(tokens) if end in text or len(text) >= limit}
        result = {self.indexes[row]: tokens[row] for row in done}
        if done:
            self._keep([row for row in range(len(tokens)) if row not in done])
        return result

    def _keep(self, rows: Sequence[int]) -> None:
        """These texts only, without the columns that are padding in all of them."""
        self.indexes, self.written = [self.indexes[row] for row in rows], [self.written[row] for row in rows]
        if not rows:
            return
        ids, mask = self.ids[rows], self.mask[rows]
        empty = int(mask.any(0).int().argmax())
        self.ids, self.mask = ids[:, empty:], mask[:, empty:]
        for layer in self.cache.layers:
            layer.keys, layer.values = layer.keys[rows, :, empty:], layer.values[rows, :, empty:]

    def joined(self, other: _Batch, pad: int) -> _Batch:
        """Both, with padding on the left of the shorter."""
        import torch

        columns = max(self.ids.shape[1], other.ids.shape[1])
        first, second = columns - self.ids.shape[1], columns - other.ids.shape[1]

        def both(one: Any, two: Any, value: int, behind: int = 0) -> Any:
            """`behind`: dimensions after that of the columns."""
            shift = [0, 0] * behind
            fill = torch.nn.functional.pad
            return torch.cat([fill(one, (*shift, first, 0), value=value), fill(two, (*shift, second, 0), value=value)])

        for mine, its in zip(self.cache.layers, other.cache.layers, strict=True):
            mine.keys, mine.values = both(mine.keys, its.keys, 0, 1), both(mine.values, its.values, 0, 1)
        return _Batch(
            self.indexes + other.indexes,
            self.written + other.written,
            both(self.ids, other.ids, pad),
            both(self.mask, other.mask, 0),
            self.cache,
        )


def _padded(
    network: Any, prompts: Sequence[Sequence[int]], indexes: list[int], pad: int, prefix: tuple[int, Any] | None
) -> _Batch:
    """Prompts of which nothing is computed but their `prefix`, which stands in front of the padding."""
    import torch

    from pipeline.backends.cache import roomy_cache

    cache: Any
    shared, cache = prefix or (0, roomy_cache() if _separable(network) else None)
    columns = max(len(prompts[index]) for index in indexes)
    ids = torch.full((len(indexes), columns), pad, device=network.device)
    mask = torch.zeros_like(ids)
    for row, index in enumerate(indexes):
        prompt = torch.tensor(prompts[index], device=network.device)
        for part, where in (
            (prompt[:shared], slice(0, shared)),
            (prompt[shared:], slice(columns - len(prompt) + shared, columns)),
        ):
            ids[row, where], mask[row, where] = part, 1
    if shared:
        cache = copy.deepcopy(cache)
        cache.batch_repeat_interleave(len(indexes))
    return _Batch(indexes, [0] * len(indexes), ids, mask, cache)


def _prefix(network: Any, prompts: Sequence[Sequence[int]], options: Mapping[str, Any]) -> tuple[int, Any] | None:
    """(tokens that all prompts begin with, the cache of them), or None where that does not pay."""
    if len(prompts) < 2 or options.get("no_repeat_ngram_size"):  # padding behind the prefix would hide repeats
        return None
    least, most = min(prompts, key=list), max(prompts, key=list)
    shortest = min(map(len, prompts))  # of which one token must be left
    differing = (place for place in range(shortest - 1) if least[place] != most[place])
    count = next(differing, shortest - 1)
    if count < SHARED:
        return None
    batch = _padded(network, [least[:count]], [0], options["pad_token_id"], None)
    batch.write(network, options, 1, None)
    return count, batch.cache


def _separable(network: Any) -> bool:
    """Whether what the model remembers is kept apart by column: keys and values, and nothing that mixes them."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    layers = DynamicCache(config=network.config).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)
