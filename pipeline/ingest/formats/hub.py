"""Data sets of the Hugging Face hub, read by `datasets`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.formats.record import Item, Layout, as_text


def read_hub(source: str) -> Iterator[Item]:
    """Layout and records of hf:NAME[:CONFIG][:SPLIT], class labels by name. Raises InputError if the data set cannot be loaded."""
    name, *rest = source.removeprefix("hf:").split(":")
    config, split = [*rest, None, None][:2] if len(rest) == 2 else (None, rest[0] if rest else "train")
    try:
        data = _load_hub(name, config, split or "train")
    except Exception as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"The data set {source} could not be loaded: {cause} Check name, config and split, and the network."
        ) from error
    names = {column: kind.names for column, kind in data.features.items() if hasattr(kind, "names")}
    yield Layout()
    for row in data:
        yield {
            column: names[column][value] if column in names and isinstance(value, int) else as_text(value)
            for column, value in row.items()
        }


def _load_hub(name: str, config: str | None, split: str) -> Any:
    """A data set's code is never run: one with a loading script is read from the hub's Parquet conversion."""
    import datasets

    try:
        return datasets.load_dataset(name, config, split=split)
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        return datasets.load_dataset(name, config, split=split, revision="refs/convert/parquet")
