"""The weights of the library of problems: to renew when sentences change. Those of unchanged problems stay as they were trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.advice import matching
from pipeline.advice.problems import load_problems
from pipeline.reader import reading


def train(out: Path) -> dict[str, Any]:
    """Writes them into a reader's folder."""
    problems = load_problems()
    matching.save(problems, matching.load(problems, out, lambda texts: reading.load(out).read(texts)).weights, out)
    return {"problems": len(problems), "file": str(out / matching.FILE)}
