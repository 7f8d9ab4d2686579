"""Where a number comes from: the time, the commit and the versions that produced it."""

from __future__ import annotations

import platform
import subprocess
import uuid
from datetime import UTC, datetime
from importlib import metadata

from pipeline.core.assets import PACKAGE


def now() -> datetime:
    """The current time in UTC, without time zone, as the warehouse stores it."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_run_id() -> str:
    """An id that sorts by time; its random suffix tells apart runs started in the same second."""
    return f"{now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


def git_sha() -> str | None:
    """The commit of the checkout that is running; None for an installed package."""
    if not (PACKAGE.parent / ".git").exists():
        return None
    command = ["git", "-C", str(PACKAGE.parent), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return result.stdout.strip() or None


def environment() -> dict[str, str]:
    """Versions of Python, the platform and the packages that results depend on."""
    packages = ("torch", "transformers", "peft", "trl", "bitsandbytes", "duckdb", "nltk", "bert-score", "evaluate")
    versions = {name: metadata.version(name) for name in packages}
    return {"python": platform.python_version(), "platform": platform.platform(), **versions}
