"""Locates a metric's checkpoint: a folder, or the hub at a pinned revision."""

from __future__ import annotations

from pathlib import Path

from pipeline.core.errors import InputError


def locate(model: str, revision: str | None) -> tuple[Path, str | None]:
    """(folder, hub commit or None for a local folder) of config, tokenizer and weights.

    Weights are fetched as safetensors only. Raises InputError if the model is in neither place.
    """
    if Path(model).is_dir():
        return Path(model), None
    from huggingface_hub import snapshot_download

    texts = ["*.json", "*.txt", "*.model"]
    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=[*texts, "*.safetensors"]))
    except Exception as error:
        raise InputError(
            f"The metric's model {model!r} is neither a folder nor to be had from the hub ({type(error).__name__}). "
            "Check the name, the revision and the network, or give the folder of a downloaded checkpoint."
        ) from error
    return folder, folder.name
