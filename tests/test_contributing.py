"""CONTRIBUTING.md keeps its word: a toy of each kind works in a copy of the project, with just the files that it lists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


class Copy:
    """A copy of the project (the weights are linked), which counts the files that are added or changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.touched: set[str] = set()
        ours = shutil.ignore_patterns("models")  # compiled files come along: they hold for copies of their sources
        for name in ("pipeline", "warehouse", "prompts", "tests", "docs"):
            shutil.copytree(ROOT / name, root / name, ignore=ours)
        (root / "pipeline" / "models").symlink_to(ROOT / "pipeline" / "models")

    def add(self, path: str, text: str) -> None:
        file = self.root / path
        assert not file.exists(), f"{path} is there already"
        file.write_text(text, encoding="utf-8")
        self.touched.add(path)

    def edit(self, path: str, before: str, after: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {path}"
        file.write_text(text.replace(before, after), encoding="utf-8")
        self.touched.add(path)

    def python(self, *arguments: str) -> str:
        """What Python prints when it runs with these arguments in the copy."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, profile: str, until: str) -> str:
        """What a run on two reviews writes to the stage `until`: its current rows, as text."""
        reviews, warehouse = self.root / "reviews.csv", self.root / "w.duckdb"
        reviews.write_text("text,stars\nThe soup was bad and cold.,1\nA lovely place.,5\n", encoding="utf-8")
        (self.root / "own.toml").write_text(f'extends = "embedded"\n{profile}', encoding="utf-8")
        options = ["--warehouse", str(warehouse), "--profile", "own.toml", "--until", until, "--no-report", "--json"]
        self.python("-m", "pipeline", "run", "--reviews", str(reviews), *options)
        query = f"SELECT * FROM {until} ORDER BY review_id"
        return self.python("-m", "pipeline", "sql", "--warehouse", str(warehouse), "--format", "json", query)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def listed(kind: str) -> list[str]:
    """The files that CONTRIBUTING.md names under "Add a KIND", as patterns."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(f"## Add a {kind}\n")[2].partition("\n## ")[0]
    paths = re.findall(r"^- `([\w/.]+)`", section, flags=re.MULTILINE)
    assert paths, f"CONTRIBUTING.md does not say how to add a {kind}"
    wild = {".": r"\.", "NNNN": r"\d{4}", "NAME": r"\w+", "CODE": "[a-z]{2}"}
    return [re.sub("|".join(map(re.escape, wild)), lambda found: wild[found[0]], path) for path in paths]


def assert_as_told(kind: str, touched: set[str]) -> None:
    patterns = listed(kind)
    strange = [path for path in touched if not any(re.fullmatch(pattern, path) for pattern in patterns)]
    unused = [pattern for pattern in patterns if not any(re.fullmatch(pattern, path) for path in touched)]
    assert not strange and not unused, f"CONTRIBUTING.md, a {kind}: {strange} not named, {unused} not needed"


FAKE = (
    '[reader]\nbackend = "fake"\n[sentiment]\nbackend = "fake"\n[emotions]\nbackend = "fake"\n'
    '[feedback]\nbackend = "{writer}"\n'
)


@pytest.mark.slow
def test_a_backend_is_two_files(copy: Copy) -> None:
    copy.add(
        "pipeline/backends/shouting.py",
        """
from pipeline.backends.base import Written


class Shouting:
    model = "shouting"

    @classmethod
    def from_section(cls, section, profile):
        return cls()

    def write(self, requests):
        texts = [f"1. {request.review['text'].upper()}" for request in requests]
        return [Written(text, text) for text in texts]
""",
    )
    copy.edit(
        "pipeline/core/registry.py",
        '    "openai":',
        '    "shouting": "pipeline.backends.shouting:Shouting",\n    "openai":',
    )
    assert "THE SOUP WAS BAD AND COLD." in copy.run(FAKE.format(writer="shouting"), "feedback")
    assert_as_told("backend", copy.touched)
    assert len(copy.touched) == 2


def test_a_file_format_is_two_files(copy: Copy) -> None:
    copy.add(
        "pipeline/ingest/formats/paragraphs.py",
        """
def read_paragraphs(source, options):
    return ({"text": part} for part in source.read_text(encoding="utf-8").split("\\n\\n"))
""",
    )
    copy.edit(
        "pipeline/ingest/formats/__init__.py",
        '    ".csv":',
        '    ".para": "pipeline.ingest.formats.paragraphs:read_paragraphs",\n    ".csv":',
    )
    (copy.root / "r.para").write_text("The soup was cold.\n\nA lovely place.", encoding="utf-8")
    told = copy.python(
        "-m", "pipeline", "run", "--reviews", "r.para", "--warehouse", "p.duckdb", "--until", "ingest", "--json"
    )
    assert json.loads(told)["accepted"] == 2
    assert_as_told("file format", copy.touched)
    assert len(copy.touched) == 2


@pytest.mark.slow
def test_a_known_export_is_two_files(copy: Copy) -> None:
    copy.add(
        "pipeline/ingest/exports/corner_forms.toml",
        'name = "Corner Forms"\nplatform = "corner_forms"\nsignature = ["Ticket", "Moan", "Smileys"]\n'
        'ignored = ["Clerk"]\n[fields]\ntext = ["Moan"]\nstars = ["Smileys"]\nid = ["Ticket"]\n',
    )
    copy.edit(
        "tests/ingest/test_exports.py",
        "ROWS = {\n",
        'ROWS = {\n    "corner_forms": ("Ticket; Moan; Smileys; Clerk; Till", "text=Moan; stars=Smileys; id=Ticket", "Till"),\n',
    )
    copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/ingest/test_exports.py")
    assert_as_told("known export", copy.touched)
    assert len(copy.touched) == 2


def test_a_language_is_two_files(copy: Copy) -> None:
    copy.add(
        "pipeline/text/languages/ca.toml",
        'name = "Catalan"\nlingua = "CATALAN"\nabbreviations = ["senyr"]\ncontrast_after_comma = ["malauradament"]\n'
        'months = ["gener", "febrer", "març", "abril", "maig", "juny", "juliol", "agost", "setembre", "octubre", '
        '"novembre", "desembre"]\nout_of = ["sobre"]\n',
    )
    words = (ROOT / "pipeline" / "advice" / "replies" / "es.toml").read_text(encoding="utf-8")
    copy.add("pipeline/advice/replies/ca.toml", words.replace("Hola", "Bon dia"))
    code = """
from pipeline.advice import reply
from pipeline.ingest.dates import parse_date
from pipeline.ingest.values import parse_stars, to_five
from pipeline.text.language import detect_languages
from pipeline.text.sentences import sentence_spans

text = "El menjar era fred i vam haver d'esperar més d'una hora; el cambrer no ens va demanar disculpes."
print(detect_languages([text]), parse_date("9 octubre 2024"), to_five(parse_stars("4 sobre 5"), "1-5"))
print(len(sentence_spans("Va venir el senyr. Puig i ens va atendre, malauradament massa tard.")))
print(reply.draft({"text": text, "language": "ca"}).text)
"""
    first, second, *draft = copy.python("-c", code).splitlines()
    assert first == "['ca'] 2024-10-09 00:00:00 4.0" and second == "2"
    assert draft[0].startswith("Bon dia")
    assert_as_told("language", copy.touched)
    assert len(copy.touched) == 2


@pytest.mark.slow
def test_a_stage_is_four_files(copy: Copy) -> None:
    copy.add(
        "pipeline/stages/lengths.py",
        """
from pipeline.core.stage import Stage


def spec(profile):
    return {"version": 1}


def transform(rows, context):
    return [{"review_id": row["review_id"], "letters": len(row["text"])} for row in rows]


LENGTHS = Stage("lengths", ("review_id",), spec, transform)
""",
    )
    query = (ROOT / "warehouse" / "stages" / "read.sql").read_text(encoding="utf-8")
    copy.add("warehouse/stages/lengths.sql", query.replace("store.read", "store.lengths"))
    copy.add(
        "warehouse/migrations/9999_lengths.sql",
        "-- How long reviews are. Grain: review_id, fingerprint.\n"
        "CREATE TABLE store.lengths (review_id VARCHAR, letters INTEGER, error VARCHAR, fingerprint VARCHAR, run_id VARCHAR);\n",
    )
    copy.edit("pipeline/stages/__init__.py", "STAGES = (", "STAGES = (LENGTHS, ")
    copy.edit(
        "pipeline/stages/__init__.py",
        "from pipeline.stages.sentiment import SENTIMENT\n",
        "from pipeline.stages.lengths import LENGTHS\nfrom pipeline.stages.sentiment import SENTIMENT\n",
    )
    rows = json.loads(copy.run(FAKE.format(writer="fake"), "lengths"))
    assert sorted(row["letters"] for row in rows) == [15, 26]
    assert_as_told("stage", copy.touched)
    assert len(copy.touched) == 4


METRIC = """
from dataclasses import replace
from pipeline.core.profile import load
from pipeline.core.stage import Context
from pipeline.quality import summary
from pipeline.report.content import gather
from tests.stages.test_score import ROWS, scored
from pipeline.core.warehouse import open_memory
from pathlib import Path

warehouse = open_memory()
context = Context(load("own.toml"), warehouse, "run", "f", Path())
rows = scored(context)
warehouse.append("store.current", [{"stage": "score", "fingerprint": "f"}])
warehouse.append("runs", [{"run_id": "run", "started_at": __import__("datetime").datetime(2026, 1, 1), "profile": "own",
                           "version": "0", "status": "done", "environment": "{}"}])
summary.write(warehouse, "run", context.profile)
(mean,) = [row["mean"] for row in warehouse.query("SELECT * FROM metrics WHERE metric = 'exclaims' AND role = 'student'")]
content = gather(warehouse)
print(rows["student"]["exclaims"], mean, content["metric_names"]["exclaims"])
print(warehouse.value("SELECT title FROM text_metrics WHERE metric = 'exclaims'"))
"""


@pytest.mark.slow
def test_a_metric_is_three_files(copy: Copy) -> None:
    copy.add(
        "pipeline/metrics/exclaims.py",
        """
from pipeline.metrics.scorer import Scorer, texts


def scorer(profile):
    return Scorer(lambda rows, warehouse: {"exclaims": [float("!" in text) for text in texts(rows)]}, {"exclaims": 1})
""",
    )
    copy.edit(
        "pipeline/metrics/table.py",
        "METRICS = (\n",
        'METRICS = (\n    Metric("exclaims", "Exclaims", "text", "has a mark of exclamation", '
        '"pipeline.metrics.exclaims:scorer", higher_is_better=False, tolerance=0.1),\n',
    )
    copy.add(
        "warehouse/migrations/9999_exclaims.sql",
        "-- Whether a text shouts.\nALTER TABLE store.score ADD COLUMN exclaims DOUBLE;\n",
    )
    (copy.root / "own.toml").write_text('extends = "embedded"\n' + FAKE.format(writer="fake"), encoding="utf-8")
    copy.python("-m", "tests.test_docs")  # what is made from the table
    assert copy.python("-c", METRIC).splitlines() == ["0.0 0.0 Exclaims", "Exclaims"]
    assert "`exclaims`" in (copy.root / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert_as_told("metric", copy.touched)
    assert len(copy.touched) == 3
