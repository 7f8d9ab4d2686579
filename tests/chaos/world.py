"""A small world to break: files of reviews, a light profile, and commands that run in processes of their own.

A process is forked from this one, in which everything is imported already, and runs the real command line: hundreds of them
are killed in minutes. What must be a fresh interpreter uses `fresh`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.conftest import ROOT

WAREHOUSE = "w.duckdb"
PROFILE = """\
extends = "embedded"
[reader]
backend = "fake"
[sentiment]
backend = "fake"
languages = ["en"]
[emotions]
backend = "fake"
[feedback]
backend = "fake"
"""
STUDENT = """\
[distill]
model = "student"
recipe = "recipe.yaml"
max_examples = 40
min_examples = 8
[generate]
max_new_tokens = 8
new_reviews = 4
"""
NO_STUDENT = """\
[distill]
when = "never"
"""
_PLACES = ("Harbour", "Old Mill", "Station")
_BAD = (
    "the waiter was rude",
    "the soup was cold",
    "we waited an hour",
    "the room was dirty",
    "nobody answered the phone",
)
_GOOD = ("a lovely meal", "such kind people", "spotless rooms", "worth every penny")


@dataclass
class Survey:
    """What was tried, how much of it was lost, and lines about that: with the seed, so that it can be repeated."""

    tried: int = 0
    lost: list[str] = field(default_factory=list)
    failed: int = 0

    def add(self, name: str, faults: Sequence[str]) -> None:
        """One more try; it survived if there are no faults."""
        self.tried += 1
        if faults:
            self.failed += 1
            self.lost.append(f"{name}: {'; '.join(faults)}")

    @property
    def survived(self) -> int:
        """The tries of which nothing was lost."""
        return self.tried - self.failed


@dataclass(frozen=True)
class Ended:
    """How a process ended. `code`: negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def is_clear(self) -> bool:
        """Whether it was refused in one line that is no traceback."""
        lines = [line for line in self.err.splitlines() if line.startswith("review-insights: ")]
        return self.code == 2 and len(lines) == 1 and "Traceback" not in self.err


def reviews(count: int, seed: int) -> list[dict[str, Any]]:
    """Reviews that differ in more than a number; two of three are unhappy."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        unhappy = number % 3 < 2
        said = chance.sample(_BAD, 2) if unhappy else chance.sample(_GOOD, 2)
        words = " ".join("".join(chance.choices("bcdfglmnprst", k=2)) + chance.choice("aeiou") + "n" for _ in range(8))
        text = f"{'A bad day' if unhappy else 'Well'}: {said[0]}, and {said[1]}. They call it {words}."
        rows.append(
            {"text": text, "stars": chance.choice((1, 2)) if unhappy else 5, "business": chance.choice(_PLACES)}
        )
    return rows


def write_sources(folder: Path, count: int = 12, seed: int = 0) -> list[str]:
    """Three files of `count` reviews each, one of them with a row that is refused and a repeat; their names."""
    for number, name in enumerate(("a.csv", "b.jsonl", "c.csv")):
        rows = reviews(count, seed * 10 + number)
        if name.endswith(".jsonl"):
            text = "".join(json.dumps(row) + "\n" for row in rows)
        else:
            lines = [f'"{row["text"]}",{row["stars"]},{row["business"]}' for row in rows]
            text = "\n".join(["text,stars,business", *lines, *([*lines[:1], ",,"] if name == "a.csv" else [])]) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    return ["a.csv", "b.jsonl", "c.csv"]


def build(folder: Path, count: int = 12, student: bool = True) -> Path:
    """A folder with sources and a profile; `student`: of a tiny one, which a run trains."""
    folder.mkdir(parents=True, exist_ok=True)
    write_sources(folder, count)
    (folder / "fake.toml").write_text(PROFILE + (STUDENT if student else NO_STUDENT))
    if student:
        _write_student(folder)
    return folder


def _write_student(folder: Path) -> None:
    from transformers.utils import logging

    from pipeline.student.recipe import load_recipe
    from tests.checkpoints import Checkpoints

    recipe = load_recipe("embedded")
    recipe["sft"] |= {"num_train_epochs": 1, "max_steps": 2, "max_length": 1024}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    logging.disable_progress_bar()
    Path(Checkpoints(folder).phi).rename(folder / "student")


def warm(base: Path) -> None:
    """Runs everything once in this process, so that its forks have imported and loaded what they need."""
    from pipeline.cli.main import main, quiet_libraries
    from pipeline.text import language

    quiet_libraries()
    if not isinstance(detector := language._detector(), _OneByOne):
        alone = _OneByOne(detector)
        language._detector = lambda: alone  # type: ignore[assignment]
    with copied(base, base.with_name("warm")) as folder, contextlib.chdir(folder):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            code = main(run_command(["a.csv", "b.jsonl", "c.csv"], name="nightly"))
        if code:
            raise AssertionError(f"the undisturbed run ended with {code}: {said.getvalue()}")


class _OneByOne:
    """The language detector without its threads, which a fork would wait for in vain."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector

    def detect_languages_in_parallel_of(self, texts: Sequence[str]) -> list[Any]:
        return [self._detector.detect_language_of(text) for text in texts]

    def compute_language_confidence_values_in_parallel(self, texts: Sequence[str]) -> list[Any]:
        return [self._detector.compute_language_confidence_values(text) for text in texts]


def run_command(sources: Sequence[str], *more: str, name: str = "run") -> list[str]:
    """The arguments of a run of these sources in the folder of `build`."""
    given = [part for source in sources for part in ("--reviews", source)]
    return [name, *given, "--warehouse", WAREHOUSE, "--profile", "fake.toml", "--out", "out", *more]


class Process:
    """A command in a forked process, in `folder`, with its output in files. `hook` runs in it first."""

    def __init__(self, folder: Path, arguments: Sequence[str], hook: Callable[[], None] = lambda: None) -> None:
        # Not in `folder`, which may lie on a full disk.
        self._files = [tempfile.TemporaryFile() for _ in ("out", "err")]  # noqa: SIM115
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _be(folder, arguments, hook, self._files)

    def wait(self, seconds: float = 120) -> Ended:
        """How it ended; killed, with code -14, if it takes longer than `seconds`."""
        limit = time.monotonic() + seconds
        while True:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return self._ended(os.waitstatus_to_exitcode(status))
            if time.monotonic() > limit:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return self._ended(-signal.SIGALRM)
            time.sleep(0.005)

    def kill_after(self, seconds: float) -> Ended:
        """How it ended: killed after `seconds`, unless it was done before."""
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def _ended(self, code: int) -> Ended:
        texts = []
        for file in self._files:
            with file:
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        return Ended(code, *texts)


def _be(folder: Path, arguments: Sequence[str], hook: Callable[[], None], files: Sequence[IO[bytes]]) -> None:
    """The forked process: never returns."""
    code = 70
    try:
        os.chdir(folder)
        for number, file in enumerate(files, start=1):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (io.TextIOWrapper(open(n, "wb", 0), write_through=True) for n in (1, 2))  # noqa: SIM115
        from pipeline.cli.main import main

        hook()
        code = main(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)


def command(folder: Path, arguments: Sequence[str], hook: Callable[[], None] = lambda: None) -> Ended:
    """Runs a command in a forked process to its end."""
    return Process(folder, arguments, hook).wait()


def fresh(folder: Path, arguments: Sequence[str], **environment: str) -> Ended:
    """Runs a command in a new interpreter, from its start to its exit."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        errors="replace",
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def spread(one: Callable[[int], list[str]], count: int) -> list[list[str]]:
    """[one(0), ..., one(count - 1)], shared by as many forked processes as there are processors."""
    workers = min(os.cpu_count() or 1, count)
    readers = []
    for worker in range(workers):
        reading, writing = os.pipe()
        sys.stdout.flush()
        if os.fork() == 0:
            os.close(reading)
            try:
                found = {number: _tried(one, number) for number in range(worker, count, workers)}
                with os.fdopen(writing, "w") as pipe:
                    json.dump(found, pipe)
            finally:
                os._exit(0)
        os.close(writing)
        readers.append(reading)
    faults: dict[int, list[str]] = {}
    for reading in readers:
        with os.fdopen(reading) as pipe:
            faults |= {int(number): of_one for number, of_one in json.loads(pipe.read() or "{}").items()}
        os.wait()
    return [faults.get(number, ["its worker ended without an answer"]) for number in range(count)]


def _tried(one: Callable[[int], list[str]], number: int) -> list[str]:
    try:
        return one(number)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def files(folder: Path) -> list[str]:
    """Every file of a folder, by its name in it; a folder that is empty counts."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_dir() or not any(path.iterdir()):
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)


@contextlib.contextmanager
def copied(folder: Path, into: Path) -> Iterator[Path]:
    """A copy of a folder, removed at the end."""
    shutil.copytree(folder, into)
    try:
        yield into
    finally:
        shutil.rmtree(into, ignore_errors=True)
