"""What a language model remembers of the texts that it writes, in tensors with room for more.

transformers' own dynamic cache copies all of it for every token; its static cache makes attention read the room that is still empty.
"""

from __future__ import annotations

from typing import Any

from transformers.cache_utils import Cache, DynamicLayer

ROOM = 64  # tokens, by which the tensors grow


class RoomyLayer(DynamicLayer):
    """`keys` and `values` (texts, heads, tokens, width) are views of larger tensors, and grow in place."""

    def lazy_initialization(self, key_states: Any, value_states: Any) -> None:
        """Before the first token."""
        super().lazy_initialization(key_states, value_states)
        self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        self._larger: list[Any] = [None, None]

    def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """All keys and values, with the new ones at their end."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys = self._grown(0, self.keys, key_states)
        self.values = self._grown(1, self.values, value_states)
        return self.keys, self.values

    def _grown(self, which: int, held: Any, new: Any) -> Any:
        larger, tokens = self._larger[which], held.shape[2] + new.shape[2]
        # `held` is another tensor once texts have left or joined.
        if larger is None or held.data_ptr() != larger.data_ptr() or larger.shape[2] < tokens:
            larger = new.new_empty((*new.shape[:2], tokens + ROOM, new.shape[3]))
            larger[:, :, : held.shape[2]] = held
            self._larger[which] = larger
        larger[:, :, held.shape[2] : tokens] = new
        return larger[:, :, :tokens]


def roomy_cache() -> Cache:
    """An empty one."""
    return Cache(layer_class_to_replicate=RoomyLayer)
