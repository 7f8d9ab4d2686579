"""Stages on a Ray cluster: Ray Data hands batches to actors, each of which holds the models; what they answer is committed here, by the
one process that writes the warehouse.

A batch whose actor dies is given to another, so a lost machine costs the batches that it was at. Needs the extra `ray`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.stage import Context, Row, Stage, transformed

PROTOCOL = 5  # of pickle, between the processes of one cluster only: nothing is read from a file


class OnRay:
    """Transforms batches on `workers` actors of the cluster at `address` ("auto": the one that is running; None: a new one on
    this machine), each with `cpus` and `gpus`.

    Raises InputError without the package `ray`, or if there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, workers: int = 2, cpus: float = 1, gpus: float = 0) -> None:
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise InputError("--engine ray needs its package: pip install 'review-insights[ray]'") from error
        self._ray, self._workers, self._cpus, self._gpus = ray, workers, cpus, gpus
        if not ray.is_initialized():
            try:
                ray.init(address=address, log_to_driver=False, logging_level="ERROR")
            except (ConnectionError, ValueError) as error:
                raise InputError(
                    f"There is no Ray cluster at {address}: {error}. Start one: ray start --head"
                ) from error
        logging.getLogger("ray").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True  # rows are committed as one machine would

    def transformed(self, stage: Stage, batches: Sequence[Sequence[Row]], context: Context) -> Iterator[Sequence[Row]]:
        """See `Engine`."""
        import cloudpickle

        travelling = dataclasses.replace(context, warehouse=None, models=Path(), progress=_silent)  # type: ignore[arg-type]
        items = [{"batch": cloudpickle.dumps(list(batch), PROTOCOL)} for batch in batches]
        dataset = self._ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            _Actor,
            fn_constructor_args=(cloudpickle.dumps((stage.name, travelling), PROTOCOL),),
            batch_size=1,
            compute=self._ray.data.ActorPoolStrategy(min_size=1, max_size=self._workers),
            num_cpus=self._cpus,
            num_gpus=self._gpus or None,
        )
        for row in dataset.iter_rows():
            yield cloudpickle.loads(row["rows"])


def _silent(done: int, total: int) -> None:
    """Progress of an actor goes nowhere."""


class _Actor:
    """A process that holds a stage's models; batches in and rows out as bytes, since rows are nested and Arrow would flatten them."""

    def __init__(self, what: bytes) -> None:
        import cloudpickle

        from pipeline.stages import STAGES

        name, self._context = cloudpickle.loads(what)
        (self._stage,) = [stage for stage in STAGES if stage.name == name]

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[bytes]]:
        import cloudpickle

        rows = [transformed(self._stage, cloudpickle.loads(one), self._context) for one in batch["batch"]]
        return {"rows": [cloudpickle.dumps(one, PROTOCOL) for one in rows]}
