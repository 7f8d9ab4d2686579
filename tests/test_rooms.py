"""Rooms depend downwards only: the listing of `pipeline/` in this order is the flow of the data."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROOMS = ("core", "text", "ingest", "reader", "themes", "backends", "metrics", "advice", "student", "stages", "quality",
         "run", "report", "tuning", "training", "service", "tools", "bench", "cli")  # fmt: skip
RULE = "a room may import only itself and rooms that stand before it in {ROOMS}: move what both need down a floor"


def room_of(module: str) -> str:
    """pipeline.core.stage -> core; the package itself is the ground."""
    return module.split(".")[1] if "." in module else ""


def imports(file: Path) -> list[tuple[int, str]]:
    """(line, module) of everything of ours that a file imports, inside functions and for type checking too."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipeline":
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "pipeline"]
    return found


FILES = sorted((ROOT / "pipeline").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_down_the_stairs(file: Path) -> None:
    here = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    room = room_of(here)
    if room in ("__init__", "__main__"):
        return
    assert room in ROOMS, f"{file} is in no room: give `{room}` its place in ROOMS"
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for line, module in imports(file)
        if room_of(module) in ROOMS and ROOMS.index(room_of(module)) > ROOMS.index(room)
    ]
    assert not wrong, f"{'; '.join(wrong)} - {RULE.format(ROOMS=', '.join(ROOMS))}"


@pytest.mark.parametrize("room", [name for name in ROOMS if name != "run"])
def test_every_room_says_what_comes_in_and_what_goes_out(room: str) -> None:
    words = ast.get_docstring(ast.parse((ROOT / "pipeline" / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert "In: " in words and "Out: " in words and "mported by " in words, f"pipeline/{room}/__init__.py"


def test_two_modules_import_duckdb() -> None:
    direct = [f for f in FILES if any(isinstance(n, ast.Import) and any(a.name == "duckdb" for a in n.names)
                                      for n in ast.walk(ast.parse(f.read_text(encoding="utf-8"))))]  # fmt: skip
    assert [file.name for file in direct] == ["connection.py", "outside.py"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_the_command_line_prints_and_exits(file: Path) -> None:
    """Everything else returns what it found, raises, or logs."""
    if file.relative_to(ROOT).parts[1] == "cli":
        return
    wrong = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="print" | "exit" | "quit" | "SystemExit" as name)):
                wrong.append(f"{node.lineno}: {name}")
            case ast.Attribute(value=ast.Name(id="sys"), attr="exit" | "stdout" | "stderr" | "argv" as name):
                wrong.append(f"{node.lineno}: sys.{name}")
            case ast.Import(names=[ast.alias(name="argparse")]) | ast.ImportFrom(module="argparse"):
                wrong.append(f"{node.lineno}: argparse")
    assert not wrong, f"{file.relative_to(ROOT)}: {', '.join(wrong)}: leave it to pipeline/cli"
