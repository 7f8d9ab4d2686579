"""The vectors of the library of problems, as the shipped reader reads its sentences: to renew when sentences change."""

from __future__ import annotations

from pipeline.advice import matching
from pipeline.advice.problems import load_problems
from pipeline.core.assets import READER
from pipeline.reader import reading


def main() -> None:
    """Writes them beside the reader."""
    problems = load_problems()
    matching.save(problems, reading.load().read, READER)
    print(f"{len(problems)} problems: {READER / matching.FILE}")


if __name__ == "__main__":
    main()
