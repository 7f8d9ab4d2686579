"""How much memory a model takes while it is loaded and asked: the peak of this process above what it held before."""

from __future__ import annotations

import gc
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # of Linux since 4.0: VmHWM begins again at what is held now


class Peak:
    """A context: `megabytes` is the peak in memory, `gpu_megabytes` that on the GPU, in 2**20 bytes, each above what was held
    before. None where it cannot be known: the first on systems other than Linux, the second without CUDA.
    """

    megabytes: float | None = None
    gpu_megabytes: float | None = None

    def __enter__(self) -> Self:
        import torch

        gc.collect()
        self._cuda: Any = torch.cuda if torch.cuda.is_available() else None
        if self._cuda:
            self._cuda.empty_cache()
            self._cuda.reset_peak_memory_stats()
            self._held_there = self._cuda.memory_allocated()
        self._held = _reset_peak()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            self.megabytes = (kibibytes("VmHWM") - self._held) / 1024
        if self._cuda:
            self.gpu_megabytes = (self._cuda.max_memory_allocated() - self._held_there) / 2**20


def _reset_peak() -> int | None:
    """What this process holds now, in KiB, its peak reset to that; None if the system does not do so."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
        return kibibytes("VmRSS")
    except (OSError, ValueError):
        return None


def kibibytes(name: str) -> int:
    """What Linux says of this process under `name`, such as VmHWM, its peak."""
    lines = (line.split() for line in _STATUS.read_text().splitlines())
    return next(int(words[1]) for words in lines if words[0] == f"{name}:")
