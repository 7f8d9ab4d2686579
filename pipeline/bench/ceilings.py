"""What this machine can do at most: matrix products, memory, DuckDB's scan. Other figures are read against these."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.bench.measure import Measured, Sizes

_SIZE = 1536  # of the matrices: large enough to be bound by arithmetic
_BYTES = 256 * 1024 * 1024
_ROWS = 20_000_000


def run(sizes: Sizes) -> list[Measured]:
    """GFLOP/s of fp32, bf16 and int8 products, GB/s of a copy, millions of rows a second that DuckDB sums."""
    return [
        *(Measured("ceilings", f"matrix product, {kind}", matrix_peak(kind), "GFLOP/s") for kind in ("fp32", "bf16")),
        Measured("ceilings", "memory, copied", memory_bandwidth(), "GB/s"),
        Measured("ceilings", "DuckDB's scan", duckdb_scan(), "million rows/s"),
    ]


def matrix_peak(kind: str, size: int = _SIZE) -> float:
    """GFLOP/s of a product of two square matrices, the best of some."""
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[kind]
    one, other = (torch.randn(size, size).to(dtype) for _ in range(2))
    return 2 * size**3 / _best(lambda: torch.mm(one, other)) / 1e9


def memory_bandwidth(size: int = _BYTES) -> float:
    """GB/s read and written by a copy of memory that no cache holds."""
    import torch

    one = torch.zeros(size // 4)
    other = torch.empty_like(one)
    return 2 * size / _best(lambda: other.copy_(one)) / 1e9


def duckdb_scan(rows: int = _ROWS) -> float:
    """Millions of integers a second that DuckDB sums, from a table in memory."""
    from pipeline.core.warehouse import open_memory

    warehouse = open_memory()
    warehouse.execute("CREATE TEMP TABLE numbers AS SELECT (hash(i) & 1023)::BIGINT AS n FROM range(?) t(i)", [rows])
    seconds = _best(lambda: warehouse.value("SELECT sum(n) FROM numbers"))
    warehouse.close()
    return rows / seconds / 1e6


def _best(work: Callable[[], object], times: int = 5) -> float:
    work()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
