"""doctor: what this machine has, and what each profile needs. Loads no model and asks no hub."""

from __future__ import annotations

import os
from importlib import util
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.core import profile
from pipeline.core.errors import InputError
from pipeline.core.provenance import environment, git_sha
from pipeline.core.warehouse import models_path, work_path
from pipeline.reader import minilm


def examine(warehouse: Path) -> dict[str, Any]:
    """Versions, device, the warehouse's files, and the needs of each profile (see `needs`), for `as_text` or JSON."""
    import torch

    cuda = torch.cuda.is_available()
    device = {
        "cuda": cuda,
        "name": torch.cuda.get_device_name(0) if cuda else "CPU",
        "memory_gb": round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1) if cuda else None,
        "threads": torch.get_num_threads(),
    }
    files = {
        name: path.exists()
        for name, path in {
            str(warehouse): warehouse,
            f"{work_path(warehouse)} (an unfinished run)": work_path(warehouse),
            f"{models_path(warehouse)} (adapters)": models_path(warehouse),
        }.items()
    }
    return {
        "review_insights": __version__,
        "git_sha": git_sha(),
        "versions": environment(),
        "device": device,
        "warehouse": files,
        "profiles": {name: needs(profile.load(name)) for name in profile.names()},
    }


def needs(chosen: profile.Profile) -> list[dict[str, Any]]:
    """The models, packages, servers and keys that a profile names: need, there (None: unknown), remedy."""
    findings = [_reader(chosen.reader), _minilm()]
    for need, model, revision in (
        ("sentiment", chosen.sentiment.model, chosen.sentiment.revision),
        ("emotions", chosen.emotions.model, chosen.emotions.revision),
        ("student", "" if chosen.distill.model == "embedded" else chosen.distill.model, chosen.distill.revision),
        ("BLEURT", "" if chosen.score.bleurt == "embedded" else chosen.score.bleurt, chosen.score.bleurt_revision),
        (
            "BERTScore",
            "" if chosen.score.bertscore == "minilm" else chosen.score.bertscore,
            chosen.score.bertscore_revision,
        ),
    ):
        if model:
            findings.append(_model(need, model, revision))
    if chosen.feedback.backend in ("transformers", "vllm"):
        findings.append(_model("teacher", chosen.feedback.model, chosen.feedback.revision))
    if chosen.feedback.backend == "vllm":
        findings.append(
            _finding("package vllm", util.find_spec("vllm") is not None, "pip install 'review-insights[vllm]'")
        )
    if chosen.feedback.backend == "gguf":
        package, file = util.find_spec("xllamacpp") is not None, Path(chosen.feedback.model).expanduser()
        findings.append(_finding("package xllamacpp", package, "pip install 'review-insights[local]'"))
        findings.append(
            _finding(f"file {file}", file.is_file(), "download a GGUF file and name it in a profile of yours")
        )
    if chosen.feedback.backend == "openai":
        findings.append(
            _finding("package openai", util.find_spec("openai") is not None, "pip install 'review-insights[openai]'")
        )
        local = "localhost" in chosen.feedback.base_url or "127.0.0.1" in chosen.feedback.base_url
        key = bool(os.environ.get(chosen.feedback.api_key_env))
        findings.append(_finding(f"server {chosen.feedback.base_url}", None, "not asked; a run will say if it is down"))
        if not local:
            findings.append(_finding(f"key in ${chosen.feedback.api_key_env}", key, "set that environment variable"))
    return findings


def _finding(need: str, there: bool | None, remedy: str) -> dict[str, Any]:
    return {"need": need, "there": there, "remedy": "" if there else remedy}


def _reader(section: profile.Reader) -> dict[str, Any]:
    folder = section.folder
    there = section.backend != "embedded" or (folder / "reader.json").is_file()
    remedy = f"there is no reader in {folder}: name another in the profile, or reinstall review-insights"
    return _finding("reader", there, "" if there else remedy)


def _minilm() -> dict[str, Any]:
    try:
        minilm.locate()
    except InputError as error:
        return _finding("MiniLM encoder", False, str(error))
    return _finding("MiniLM encoder", True, "")


def _model(need: str, model: str, revision: str) -> dict[str, Any]:
    from huggingface_hub import try_to_load_from_cache

    there = Path(model).is_dir() or isinstance(try_to_load_from_cache(model, "config.json", revision=revision), str)
    return _finding(f"{need}: {model}", there, "downloaded on first use (needs the network)")


def as_text(findings: dict[str, Any]) -> str:
    """The result of `examine` for people, a line per finding."""
    lines = [f"review-insights {findings['review_insights']} ({findings['git_sha'] or 'installed copy'})"]
    lines += [f"  {name} {version}" for name, version in findings["versions"].items()]
    device = findings["device"]
    memory = f", {device['memory_gb']} GB" if device["memory_gb"] else ""
    lines.append(f"device: {device['name']}{memory}, {device['threads']} threads")
    lines += [f"  {'there  ' if there else 'absent '} {name}" for name, there in findings["warehouse"].items()]
    states = {True: "there  ", False: "absent ", None: "unknown"}
    for name, profile_needs in findings["profiles"].items():
        lines.append(f"profile {name}:")
        lines += [
            f"  {states[f['there']]} {f['need']}" + (f": {f['remedy']}" if f["remedy"] else "") for f in profile_needs
        ]
    return "\n".join(lines)
