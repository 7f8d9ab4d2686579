"""Where a number comes from: the time, the commit, and the versions it was computed with."""

from __future__ import annotations

import json
import platform
import subprocess
import uuid
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from pipeline import __version__
from pipeline.core.assets import PACKAGE


def now() -> datetime:
    """The time in UTC, without a zone, as the warehouse keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_run_id() -> str:
    """Sorts by time; the random end keeps two runs of one second apart."""
    return f"{now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


def run_row(run_id: str, subject: str, status: str) -> dict[str, Any]:
    """A row of `runs` that begins now: what ran (subject: the profile), as which commit and version, and where."""
    return {
        "run_id": run_id,
        "started_at": now(),
        "profile": subject,
        "git_sha": git_sha(),
        "version": __version__,
        "status": status,
        "environment": json.dumps(environment()),
        "stages": "{}",
    }


def git_sha() -> str | None:
    """The commit of the checkout this runs from; None for an installed copy."""
    if not (PACKAGE.parent / ".git").exists():
        return None
    command = ["git", "-C", str(PACKAGE.parent), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return result.stdout.strip() or None


def environment() -> dict[str, str]:
    """Versions that decide what a number is worth."""
    packages = ("torch", "transformers", "peft", "trl", "bitsandbytes", "duckdb", "nltk", "bert-score", "evaluate")
    versions = {name: metadata.version(name) for name in packages}
    return {"python": platform.python_version(), "platform": platform.platform(), **versions}
