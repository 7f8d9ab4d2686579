"""What the pages say about the repository is so: links, paths, commands, versions. (Columns and metrics: test_docs.)"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from pipeline import __version__, cli
from tests.conftest import ROOT
from tests.test_rooms import ROOMS

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "prompts").glob("*.md"), ROOT / "warehouse/README.md"]
)
IMAGES = 300 * 1024  # bytes, all together: the repository is cloned more often than its pictures are looked at


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_that_is_named_exists(name: str) -> None:
    """Those with a placeholder in capitals (`pipeline/backends/NAME.py`) are for the reader to create."""
    named = re.findall(
        r"`((?:pipeline|warehouse|prompts|tests|docs)/[\w./]+)`", (ROOT / name).read_text(encoding="utf-8")
    )
    assert len(named) > 10
    assert [path for path in named if not re.search("[A-Z]{4}", path) and not (ROOT / path).exists()] == []


def test_the_file_tree_names_every_entry_and_the_rooms_in_their_order() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = readme.partition("## Files")[2].partition("```\n")[2].partition("```")[0]
    entries = re.findall(r"^( *)([\w./]+)", tree, re.MULTILINE)
    inside = [name.rstrip("/") for indent, name in entries if indent]
    assert [name for indent, name in entries if not indent and not (ROOT / name).exists()] == []
    there = {path.name for path in (ROOT / "pipeline").iterdir() if not path.name.startswith("_")} - {"py.typed"}
    assert set(inside) == there
    assert [name for name in inside if name.removesuffix(".py") in ROOMS] == [
        "run.py" if room == "run" else room for room in ROOMS
    ]


def test_commands_that_pages_and_ci_name_are_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [ROOT / "CONTRIBUTING.md", ROOT / ".pre-commit-config.yaml", *(ROOT / ".github").rglob("*.*")]
    named = {
        target for page in pages for target in re.findall(r"(?:^|`|: )make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert {"lint", "test"} <= named <= targets


def test_ci_runs_on_every_python_that_the_package_claims() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    claimed = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == claimed
    assert project["requires-python"] == f">={claimed[0]}"


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] in (__version__, "Unreleased") and __version__ in versions


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert {"page.png", "report.png"} <= {picture.name for picture in pictures}
    assert sum(picture.stat().st_size for picture in pictures) <= IMAGES


def test_the_table_of_how_a_file_was_understood_is_printed_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("my.csv").write_text(
        "Comment,Score,Date\n"
        '"Cold soup, and the waiter took an hour.",3,25/01/2026\n'
        "Lovely evening on the terrace.,9,03/02/2026\n"
        '"Good food, dear wine.",7,14/02/2026\n'
    )
    assert cli.main(["run", "--reviews", "my.csv", "--dry-run"]) == 0
    printed = "\n".join(map(str.rstrip, capsys.readouterr().out.strip().splitlines()))
    assert printed in (ROOT / "README.md").read_text(encoding="utf-8")
