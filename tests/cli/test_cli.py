from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import cli
from pipeline.core import queries
from pipeline.core.profile import names
from pipeline.quality import check
from tests.conftest import ROOT


def run_arguments(folder: Path, *more: str) -> list[str]:
    files = ["--reviews", str(folder / "r.csv"), "--warehouse", str(folder / "w.duckdb")]
    return ["run", *files, "--profile", str(folder / "fake.toml"), "--until", "emotions", "--no-report", *more]


@pytest.fixture
def warehouse(tmp_path: Path, fake_profile: object) -> Path:
    """A published warehouse of three reviews, made through the command line."""
    reviews, path = tmp_path / "r.csv", tmp_path / "w.duckdb"
    reviews.write_text('text,stars\n"The soup was bad, =1+1",1\nLovely [bold]place[/bold].,5\n"Très bon, café",4\n')
    assert cli.main(run_arguments(tmp_path)) == 0
    return path


def test_similar_sentences(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = str(warehouse.with_name("fake.toml"))
    asked = ["similar", "--warehouse", str(warehouse), "--profile", fake, "The soup was bad, =1+1"]
    assert cli.main([*asked, "--json", "--limit", "2"]) == 0
    found = json.loads(capsys.readouterr().out)["similar"]
    assert len(found) == 2 and found[0]["sentence"] == "The soup was bad, =1+1" and found[0]["closeness"] > 0.99
    assert cli.main([*asked[:-1], "bold"]) == 0
    assert "closeness" in capsys.readouterr().out
    assert cli.main([*asked, "--limit", "0"]) == 2 and cli.main([*asked[:-1], " "]) == 2


def test_progress_is_a_line_per_stage(tmp_path: Path, fake_profile: object, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.csv").write_text("text,stars\nThe soup was bad.,1\nA lovely place.,5\nFine.,3\n")
    assert cli.main(run_arguments(tmp_path)) == 0
    err = capsys.readouterr().err
    assert "reviewed_at │ not found" in err and "3 records: 3 accepted" in err, "how the file was understood"
    lines = [line.split() for line in err.splitlines()[-4:]]
    assert [(line[0], line[-2]) for line in lines] == [
        ("ingest", "3/3"),
        ("read", "3/3"),
        ("sentiment", "3/3"),
        ("emotions", "3/3"),
    ]


def test_sql_prints_a_table_csv_and_json(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT stars, text FROM reviews ORDER BY stars"
    capsys.readouterr()
    assert cli.main(["sql", "--warehouse", str(warehouse), query]) == 0
    assert "Lovely [bold]place[/bold]." in capsys.readouterr().out, "a review is no markup"
    assert cli.main(["sql", "--warehouse", str(warehouse), "--format", "json", query]) == 0
    assert [row["stars"] for row in json.loads(capsys.readouterr().out)] == [1.0, 4.0, 5.0]
    assert cli.main(["sql", "--warehouse", str(warehouse), "--format", "csv", query]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "stars,text"


def test_run_json_is_one_document_on_stdout(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.main(run_arguments(tmp_path, "--json")) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert captured.err == ""
    assert facts["rows_written"] == 0 and facts["reviews"] == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--reviews", "missing.csv"], "missing.csv"),
        (["run", "--profile", "nowhere"], "There is no profile"),
        (["run", "--map", "text"], "FIELD=COLUMN"),
        (["run", "--limit", "0"], "1 or more"),
        (["run", "--delimiter", "::"], "give one character"),
        (["run", "--until", "nonsense"], "Stages, in order"),
        (["run", "--limit", "many"], "--help"),
        (["nonsense"], "--help"),
        ([], "--help"),
        (["sql", "--warehouse", "none.duckdb", "SELECT 1"], "no warehouse"),
        (["report", "--warehouse", "none.duckdb"], "no warehouse"),
        (["check", "--warehouse", "none.duckdb"], "no warehouse"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err and captured.err.count("\n") == 1 and captured.err.startswith("review-insights: ")
    assert not list(tmp_path.iterdir()), "nothing was left behind"


def test_nightly_has_one_exit_code(
    tmp_path: Path, fake_profile: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.csv").write_text('text,stars\n"The soup was bad and cold, =1+1",1\nA lovely place to be.,5\n')
    shared = [
        "--warehouse",
        str(tmp_path / "w.duckdb"),
        "--profile",
        str(tmp_path / "fake.toml"),
        "--baselines",
        str(tmp_path),
    ]
    arguments = [
        "nightly",
        "--reviews",
        str(tmp_path / "r.csv"),
        "--out",
        str(tmp_path / "out"),
        "--date",
        "2026-11-02",
        *shared,
    ]
    assert cli.main(arguments) == 0
    assert "no baseline yet" in capsys.readouterr().out
    page = tmp_path / "out" / "2026-11-02" / "report.html"
    assert "No baseline was recorded" in page.read_text()

    assert cli.main(["check", "--record", "first night", *shared]) == 0
    capsys.readouterr()
    assert cli.main([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["check"]["passed"] and facts["rows_written"] == 0
    assert "A quiet night" in page.read_text() and "no regression" in page.read_text()

    baseline = json.loads((tmp_path / "fake.json").read_text())
    baseline["shares"]["reviews"] = {"negative share": [0, 1000]} | {"planted": [0, 1000]}
    (tmp_path / "fake.json").write_text(json.dumps(baseline))
    assert cli.main(arguments) == 1, "a regression"
    assert "planted" in page.read_text(), "the report is there all the same"
    before = page.read_bytes()
    assert cli.main([*arguments, "--reviews", str(tmp_path / "missing.csv")]) == 2
    assert page.read_bytes() == before


def test_own_reviews_are_never_compared_with_the_sample(
    tmp_path: Path, fake_profile: object, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.csv").write_text('text,stars\n"The soup was bad and cold.",1\nA lovely place to be.,5\n')
    stored = ["--warehouse", str(tmp_path / "w.duckdb"), "--profile", str(tmp_path / "fake.toml")]
    nightly = ["nightly", "--reviews", str(tmp_path / "r.csv"), "--out", str(tmp_path / "out"), *stored]
    assert cli.main(nightly) == 0
    first = tmp_path / "w.duckdb.baselines" / "fake.json"
    assert f"recorded as the first, in {first}" in capsys.readouterr().out and first.is_file()
    before = first.read_bytes()
    assert cli.main(nightly) == 0 and cli.main(["check", *stored]) == 0
    assert capsys.readouterr().out.count("no regression") == 2 and first.read_bytes() == before
    first.unlink()
    assert cli.main(["check", *stored]) == 0, "a first check is no failure"
    assert "recorded as the first" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "nightly"])
def test_a_report_is_gathered_and_checked_once_over_one_connection(
    command: str, tmp_path: Path, fake_profile: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def counted(name: str, module: Any, attribute: str, counts: Any = lambda *args, **options: True) -> None:
        original = getattr(module, attribute)

        def spy(*args: Any, **options: Any) -> Any:
            calls[name] += counts(*args, **options)
            return original(*args, **options)

        monkeypatch.setattr(module, attribute, spy)

    counted("opened", duckdb, "connect", lambda *args, **options: options.get("read_only", False))
    counted("gathered", queries, "load", lambda name: name == "headline")
    counted("checked", check, "verdict_if_recorded")
    (tmp_path / "r.csv").write_text('text,stars\n"The soup was bad and cold.",1\n')
    shared = ["--warehouse", str(tmp_path / "w.duckdb"), "--out", str(tmp_path / "out")]
    reviews = ["--reviews", str(tmp_path / "r.csv"), "--profile", str(tmp_path / "fake.toml")]
    assert cli.main([command, *shared, *reviews]) == 0
    first_baseline = command == "nightly"  # a first night records it
    assert calls == {"opened": 1 + first_baseline, "gathered": 1, "checked": 1}
    calls.clear()
    assert cli.main(["report", *shared]) == 0
    assert calls == {"opened": 1, "gathered": 1, "checked": 1}


def test_a_second_run_is_no_night_and_a_nightly_one_is(tmp_path: Path, fake_profile: object) -> None:
    (tmp_path / "r.csv").write_text('text,stars\n"The soup was bad and cold.",1\n')
    warehouse = ["--warehouse", str(tmp_path / "w.duckdb")]
    reviews = ["--reviews", str(tmp_path / "r.csv"), "--profile", str(tmp_path / "fake.toml")]
    for command, quiet in (("run", False), ("run", False), ("report", False), ("nightly", True)):
        out = tmp_path / f"{command} out"
        assert cli.main([command, *warehouse, "--out", str(out), *(reviews if command != "report" else [])]) == 0
        (page,) = out.glob("*/report.html")
        assert ("quiet night" in page.read_text()) is quiet, command


def test_hostile_sql_is_exit_2(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sql", "--warehouse", str(warehouse), "DROP TABLE reviews"]) == 2
    assert "nothing can be written" in capsys.readouterr().err


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, "doctor", dataclasses.replace(cli.COMMANDS["doctor"], run=interrupted))
    assert cli.main(["doctor"]) == 130


def test_doctor_names_every_profile(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["doctor", "--warehouse", str(tmp_path / "w.duckdb")]) == 0
    text = capsys.readouterr().out
    assert all(f"profile {name}:" in text for name in names())
    assert "MiniLM encoder" in text and "torch" in text and "Mistral-7B" in text


def test_help_is_fast_because_heavy_libraries_are_lazy() -> None:
    code = "import sys; from pipeline.cli import parser; parser(); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(result.stdout.split())
    assert "argparse" in imported
    assert not imported & {"torch", "transformers", "duckdb", "pandas", "numpy", "pydantic", "rich", "pipeline.run"}


@pytest.mark.parametrize("name", ["o'brien.csv", "my reviews/shop (1).csv", 'a "quoted" name.csv'])
def test_make_hands_on_any_name(name: str, tmp_path: Path) -> None:
    """With a stand-in for the command, which only says what it was given."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    command = tmp_path / ".venv" / "bin" / "review-insights"
    command.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    command.chmod(0o755)
    for needed in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / needed).write_bytes((ROOT / needed).read_bytes())
    (tmp_path / ".venv" / "installed").touch()
    done = subprocess.run(
        ["make", "-s", "stages", f"REVIEWS={name}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    given = done.stdout.splitlines()
    assert given[given.index("--reviews") + 1] == name


def test_bare_make_prints_every_target() -> None:
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M)
    assert {"stages", "test", "sql", "report", "nightly", "check", "lint"} <= set(targets)
    assert all(f"make {target} " in result.stdout for target in targets)


def test_the_readme_names_only_commands_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"^make ([a-z]+)", readme, re.M)) <= targets
    for path in re.findall(r"\]\(([\w/.]+)\)", readme):
        assert (ROOT / path).exists(), path


def test_constraints_pin_every_direct_dependency() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    canonical = {re.split(r"[<>=\[ ]", line)[0].lower().replace("_", "-") for line in wanted}
    canonical -= {"review-insights", "vllm"}  # vllm brings the torch that it was built for
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert canonical <= pinned, canonical - pinned
