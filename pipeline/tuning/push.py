"""push: uploads a tuned classifier, or a student's adapter, to a hub, with a model card made from its figures.

The token comes only from the environment (HF_TOKEN). What is uploaded is a copy: weights (safetensors), configuration,
tokenizer and card; never a pickle, a training row or a local path.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.core.errors import BackendDown, InputError
from pipeline.tuning.figures import learned

TOKEN = "HF_TOKEN"
_UPLOADED = (".safetensors", ".json", ".txt", ".model", ".jinja")
_WEIGHTS = ("model.safetensors", "adapter_model.safetensors", "model.safetensors.index.json")


def push(folder: Path, repository: str, *, private: bool = True, licence: str = "", data: str = "") -> str:
    """Uploads `folder` (what `finetune` or `distill` wrote) to `repository` ("owner/name") and returns its address.

    For the card: `licence` of the weights, as the hub names it, and `data`, what they were trained on, in words.
    Raises InputError without a token, for a folder without a model, or if the hub refuses; BackendDown if the hub cannot be
    reached.
    """
    folder = _model_folder(folder)
    _require_name(repository)
    token = os.environ.get(TOKEN)
    if not token:
        raise InputError(f"No token in ${TOKEN}. Make one with write access on the hub and set that variable.")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # HTTPError: the base of what its HTTP client raises

    scratch = Path(tempfile.mkdtemp(prefix="push-"))
    try:
        prepare_upload(folder, scratch, repository, licence, data)
        api = HfApi(token=token)
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(
            folder_path=scratch, repo_id=repository, commit_message=f"review-insights {__version__}: {folder.name}"
        )
        return str(address)
    except HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else "?"
        raise InputError(
            f"The hub refused {repository} (HTTP {code}). Check that the token in ${TOKEN} may write there."
        ) from error
    except (HTTPError, OSError) as error:
        raise BackendDown(
            f"The hub cannot be reached ({type(error).__name__}). Check the network and run push again."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _require_name(repository: str) -> None:
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(repository)
    except HFValidationError:
        repository = ""
    if repository.count("/") != 1:
        raise InputError("--repo: write OWNER/NAME, as on the hub: letters, digits, and - _ . between them.")


def _is_local(base: str) -> bool:
    return os.path.isabs(base) or base.startswith(".") or Path(base).exists()


def _model_folder(folder: Path) -> Path:
    """The folder that holds the weights: `folder` itself, or `model` in it, as `finetune` leaves it."""
    for candidate in (folder, folder / "model"):
        if any((candidate / name).is_file() for name in _WEIGHTS):
            return candidate
    raise InputError(
        f"{folder} holds no model: name a folder that finetune or distill wrote (with .safetensors in it)."
    )


def prepare_upload(folder: Path, scratch: Path, repository: str, licence: str = "", data: str = "") -> None:
    """Fills `scratch` with the files to upload, including the card."""
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in _UPLOADED:
            shutil.copyfile(file, scratch / file.name)
    facts, figures = _training_results(folder)
    note = _remove_local_base(scratch)
    (scratch / "README.md").write_text(card(repository, scratch, facts, figures, licence, data, note), encoding="utf-8")


def _training_results(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(training facts, figures) that `finetune` wrote beside a classifier; both empty for a student's adapter."""

    def read(file: Path) -> dict[str, Any]:
        return dict(json.loads(file.read_text(encoding="utf-8"))) if folder.name == "model" and file.is_file() else {}

    return read(folder.parent / "training.json"), read(folder.parent / "figures.json")


def _remove_local_base(scratch: Path) -> str:
    """Reduces an adapter's base to its name if it is a local folder: the path is private, and useless elsewhere. Returns a
    note for the card, or an empty string.
    """
    file = scratch / "adapter_config.json"
    if not file.is_file():
        return ""
    settings = json.loads(file.read_text(encoding="utf-8"))
    base = str(settings.get("base_model_name_or_path") or "")
    if not base or not _is_local(base):
        return ""
    settings["base_model_name_or_path"] = Path(base).name
    file.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    if Path(base).name == "student":
        return "Its base is the small Phi that travels with review-insights (pipeline/models/student)."
    return f"Its base was a local folder called {Path(base).name}: load that base yourself and put the adapter on it."


def card(
    repository: str,
    folder: Path,
    facts: Mapping[str, Any],
    figures: Mapping[str, Any],
    licence: str,
    data: str,
    note: str,
) -> str:
    """The model card as Markdown: the hub's front matter, what the model is, how it was made, its figures and limits.

    `facts`, `figures`: training.json and figures.json, empty for a student's adapter. `note`: on a local base.
    """
    config = folder / "adapter_config.json"
    adapter = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    base = str(facts.get("base") or adapter.get("base_model_name_or_path") or "")
    public_base = base if "/" in base and not note and not _is_local(base) else ""
    if facts:
        shown = {**facts, "base": Path(base).name if _is_local(base) else base}
        body = [
            *_introduction(shown, bool(adapter)),
            *_figures_table(figures),
            *_limits_and_use(facts, figures, repository),
        ]
    else:
        body = _student_lines(adapter)
    lines = [
        *_front_matter(facts, licence, public_base, bool(adapter)),
        f"# {repository.split('/')[1]}",
        "",
        *body,
        *(["", note] if note else []),
        "",
        "## Data",
        "",
        data or "Not stated by the person who published this model: ask before you build on it.",
        "",
        f"Made with review-insights {__version__}.",
    ]
    return "\n".join(lines) + "\n"


def _front_matter(facts: Mapping[str, Any], licence: str, base: str, adapter: bool) -> list[str]:
    """The card's YAML. `base`: a model on the hub, or empty."""
    lines = ["---"]
    if licence:
        lines.append(f"license: {json.dumps(licence)}")
    if base:
        lines.append(f"base_model: {json.dumps(base)}")
    lines.append(f"library_name: {'peft' if adapter else 'transformers'}")
    lines.append(f"pipeline_tag: {'text-classification' if facts else 'text-generation'}")
    if facts.get("languages"):
        lines.append(f"language: {json.dumps(facts['languages'])}")
    return [*lines, "tags:", "- review-insights", "---", ""]


def _student_lines(adapter: Mapping[str, Any]) -> list[str]:
    return [
        f"A LoRA adapter (rank {adapter.get('r')}) for a student that writes feedback to customer reviews, "
        "trained by review-insights on its teacher's texts.",
        "",
        "Its scores against teacher, base and controls are in the `metrics` table of the warehouse it was trained in. "
        "Do not show its texts where it does not beat every control there.",
    ]


def _introduction(facts: Mapping[str, Any], adapter: bool) -> list[str]:
    kind = f"{facts['method']} adapter on" if adapter else "fine-tuned from"
    revision = f" at revision {facts['revision']}" if facts["revision"] != "main" else ""
    rows = facts["rows"]
    return [
        f"{facts['task'].capitalize()} of customer reviews ({', '.join(facts['classes'])}), {kind} `{facts['base']}`{revision}.",
        "",
        f"- Rows: {rows['train']} to train, {rows['validation']} to choose the best epoch, {rows['test']} to test",
        f"- Seed {facts['seed']}, {facts['steps']} steps, best at {facts['best_step']}; balance: {facts['balance']}",
        f"- Languages trained on: {', '.join(facts['languages']) or 'too few rows of any'}",
    ]


def _figures_table(figures: Mapping[str, Any]) -> list[str]:
    """Base and tuned model on the test rows, then the tuned one by language, then the verdict."""
    if not figures.get("tuned"):
        return []
    names = {"accuracy": "accuracy", "macro_f1": "macro-F1", "macro_auc": "AUC", "ece": "ECE"}
    lines = ["", "| test rows | " + " | ".join(names.values()) + " |", "|---|" + "--:|" * len(names)]
    for role in ("base", "tuned"):
        cells = ["–" if figures[role].get(key) is None else f"{figures[role][key]:.3f}" for key in names]
        lines.append(f"| {role} | " + " | ".join(cells) + " |")
    lines += ["", "| language | rows | accuracy | macro-F1 | ECE |", "|---|--:|--:|--:|--:|"]
    for name, row in figures["tuned"].get("languages", {}).items():
        lines.append(f"| {name} | {row['n']} | {row['accuracy']:.3f} | {row['macro_f1']:.3f} | {row['ece']:.3f} |")
    return [*lines, "", f"**{figures['verdict']}**"]


def _limits_and_use(facts: Mapping[str, Any], figures: Mapping[str, Any], repository: str) -> list[str]:
    lines = [
        "",
        "## Limits",
        "",
        "Languages and kinds of text that it was not trained on are guesses. Scores of different languages differ by the model "
        "alone; `calibration.json`, where there is one, evens that out on rows like its validation rows. Sarcasm is missed.",
        "",
        "## Use",
        "",
        "In a profile of review-insights:",
        "",
        "```toml",
        f"[{facts['task']}]",
        'backend = "transformers"',
        f'model = "{repository}"',
        f"languages = {json.dumps(learned(facts['languages'], figures.get('tuned', {})))}",
        "```",
    ]
    if facts.get("thresholds"):
        lines += ["", "Thresholds chosen on validation:", "", "```toml", f"[{facts['task']}.thresholds]"]
        lines += [f"{name} = {value}" for name, value in facts["thresholds"].items()] + ["```"]
    return lines
