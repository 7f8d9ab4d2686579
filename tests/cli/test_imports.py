"""What the embedded default does not use is not imported, and no library has its say on stderr."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EMBEDDED = """
import sys
from pathlib import Path
from pipeline.cli import main

folder = Path(sys.argv[1])
arguments = ["run", "--reviews", str(folder / "r.csv"), "--warehouse", str(folder / "w.duckdb"), "--json", "--no-report"]
assert main([*arguments, "--until", "emotions"]) == 0
unused = [name for name in ("bitsandbytes", "peft", "trl", "datasets", "obstore", "psycopg") if name in sys.modules]
assert not unused, unused
"""
STUDENT = """
import sys
from pathlib import Path
from pipeline.backends.base import Request
from pipeline.core.assets import STUDENT
from pipeline.backends.transformers import TransformersGenerator
from pipeline.cli.main import quiet_libraries
from pipeline.student.recipe import load_recipe
from pipeline.student.sft import train

quiet_libraries()
adapter, recipe = Path(sys.argv[1]) / "adapter", load_recipe("embedded")
rows = [{"prompt": "Cold soup. Feedback:", "completion": "1. Apologise."}] * 4
examples = {"train": rows, "validation": rows[:1]}
short = recipe | {"sft": recipe["sft"] | {"num_train_epochs": 1}}
train(examples, model=str(STUDENT), revision="main", recipe=short, out=adapter)
tuned = TransformersGenerator(str(STUDENT), "main", quantize="none", adapter=adapter, max_new_tokens=2)
tuned.write([Request("Cold soup. Feedback:", {})])
assert "bitsandbytes" not in sys.modules
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)


@pytest.mark.slow
def test_reading_needs_no_adapter_library(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text,stars\nThe soup was cold.,1\nA lovely place.,5\n")
    result = run(EMBEDDED, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.slow
def test_a_student_in_full_precision_needs_no_bitsandbytes(tmp_path: Path) -> None:
    result = run(STUDENT, tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
