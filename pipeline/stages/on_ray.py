"""Stages on a Ray cluster: Ray Data hands batches to actors, each of which holds the models; what they answer is committed here, by the
one process that writes the warehouse.

A batch whose actor dies is given to another, so a lost machine costs the batches that it was at. Needs the extra `ray`.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.core.stage import Context, Row, Stage, transformed


class OnRay:
    """Transforms batches on `workers` actors of the cluster at `address` ("auto": the one that is running; None: a new one on
    this machine), each with `cpus` and `gpus`. Nothing is started before there is a batch.

    Raises InputError without the package `ray`, and at the first batch if there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, workers: int = 2, cpus: float = 1, gpus: float = 0) -> None:
        if importlib.util.find_spec("ray") is None:
            raise InputError("--engine ray needs its package: pip install 'review-insights[ray]'")
        self._address, self._workers, self._cpus, self._gpus = address, workers, cpus, gpus

    def transformed(self, stage: Stage, batches: Sequence[Sequence[Row]], context: Context) -> Iterator[Sequence[Row]]:
        """See `Engine`."""
        data = _started(self._address)
        travelling = dataclasses.replace(context, warehouse=None, models=Path(), progress=_silent)  # type: ignore[arg-type]
        items = [{"batch": _packed(batch)} for batch in batches]
        dataset = data.from_items(items, override_num_blocks=len(items)).map_batches(
            _Actor,
            fn_constructor_args=(stage.name, travelling),
            batch_size=1,
            compute=data.ActorPoolStrategy(min_size=1, max_size=self._workers),
            num_cpus=self._cpus,
            num_gpus=self._gpus or None,
        )
        for row in dataset.iter_rows():
            yield _unpacked(row["rows"])


def _started(address: str | None) -> Any:
    """Ray Data, connected to a cluster."""
    import ray
    import ray.data

    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError) as error:
            raise InputError(f"There is no Ray cluster at {address}: {error}. Start one: ray start --head") from error
    logging.getLogger("ray").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True  # rows are committed as one machine would
    return ray.data


def _silent(done: int, total: int) -> None:
    """Progress of an actor goes nowhere."""


def _packed(rows: Sequence[Row]) -> bytes:
    """Rows as Arrow's stream of bytes, which holds data and no code."""
    table = pa.Table.from_pylist(list(rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _unpacked(content: bytes) -> list[Row]:
    rows: list[Row] = pa.ipc.open_stream(content).read_all().to_pylist()
    return rows


class _Actor:
    """A process that holds a stage's models."""

    def __init__(self, name: str, context: Context) -> None:
        from pipeline.stages import STAGES

        self._context = context
        (self._stage,) = [stage for stage in STAGES if stage.name == name]

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[bytes]]:
        return {"rows": [_packed(transformed(self._stage, _unpacked(one), self._context)) for one in batch["batch"]]}
