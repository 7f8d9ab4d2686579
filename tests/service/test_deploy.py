"""The deployment files, as far as they can be checked without an engine to run them."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess

import pytest
import yaml

from pipeline.cli import parser
from tests.conftest import ROOT

DIRECTIVES = {
    "ARG",
    "FROM",
    "ENV",
    "RUN",
    "WORKDIR",
    "COPY",
    "USER",
    "VOLUME",
    "EXPOSE",
    "HEALTHCHECK",
    "STOPSIGNAL",
    "ENTRYPOINT",
    "CMD",
}
Step = tuple[str, str]


def stages() -> list[list[Step]]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    found: list[list[Step]] = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            assert name in DIRECTIVES, line
            if name == "FROM":
                found.append([])
            found[-1].append((name, rest.strip()))
    return found


def value(stage: list[Step], name: str) -> str:
    return [rest for directive, rest in stage if directive == name][-1]


def test_the_image_is_small_unprivileged_and_watched() -> None:
    build, final = stages()
    assert "whl/cpu" in " ".join(rest for _, rest in build) and "--constraint constraints.txt" in " ".join(
        rest for _, rest in build
    )
    assert int(value(final, "USER")) > 1000, "a number, so that an orchestrator can see that it is not root"
    names = [name for name, _ in final]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in ("RUN", "COPY"))
    assert "/readyz" in value(final, "HEALTHCHECK") and value(final, "STOPSIGNAL") == "SIGTERM"
    assert all(":" in rest.split()[0] for stage in (build, final) for name, rest in stage if name == "FROM")
    copied = [part for name, rest in build if name == "COPY" for part in rest.split()[:-1]]
    assert copied and all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {name.split("/")[0] for name in copied} & set(ignored) and ".git" in ignored


def test_what_the_files_run_is_a_command_of_ours() -> None:
    _, final = stages()
    assert json.loads(value(final, "ENTRYPOINT")) == ["review-insights"]
    commands = [json.loads(value(final, "CMD"))]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    (script,) = compose["services"]["nightly"]["command"]
    commands += [found.split() for found in re.findall(r"review-insights (run .*?) \|\|", script)]
    for file in sorted((ROOT / "deploy").glob("*.service")):
        commands.append(unit(file.name)["Service"]["ExecStart"].split()[1:])
    assert len(commands) == 4
    for command in commands:
        parser().parse_args(command)


def test_compose_shares_a_volume_and_asks_for_a_key() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    service, nightly = compose["services"]["service"], compose["services"]["nightly"]
    assert (
        "insights:/data" in service["volumes"]
        and "insights:/data" in nightly["volumes"]
        and "insights" in compose["volumes"]
    )
    assert ":?" in service["environment"]["REVIEW_INSIGHTS_API_KEY"], "there is no default key"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for item in (service, nightly):
        assert item["read_only"] and item["cap_drop"] == ["ALL"] and item["security_opt"] == ["no-new-privileges:true"]


def test_the_nightly_script_is_valid_shell_and_sleeps_until_three() -> None:
    (script,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["nightly"]["command"]
    script = script.replace("$$", "$")
    subprocess.run(["sh", "-n", "-c", script], check=True)
    expression = re.search(r"\$\(\((.*?)\)\) &", script)
    assert expression
    for clock, seconds in ((0, 10801), (3 * 3600, 1), (3 * 3600 + 1, 86400), (23 * 3600, 4 * 3600 + 1)):
        result = subprocess.run(
            ["sh", "-c", f"now={1000 * 86400 + clock}; echo $(({expression[1]}))"], capture_output=True, text=True
        )
        assert int(result.stdout) == seconds


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.optionxform = str  # type: ignore[method-assign, assignment]
    read.read(ROOT / "deploy" / name)
    return read


def test_the_units_are_hardened_and_wait_for_what_is_in_flight() -> None:
    service = unit("review-insights.service")["Service"]
    assert (
        service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict" and service["DynamicUser"] == "yes"
    )
    assert int(service["TimeoutStopSec"]) > 30 and service["KillSignal"] == "SIGTERM"
    assert unit("review-insights-nightly.timer")["Timer"]["OnCalendar"]
    assert unit("review-insights-nightly.service")["Service"]["User"] == service["User"], "both own the warehouse"


def test_systemd_agrees() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    files = [str(file) for file in sorted((ROOT / "deploy").glob("*.*")) if file.is_file()]
    result = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True)
    complaints = [line for line in result.stderr.splitlines() if str(ROOT) in line and "not executable" not in line]
    assert complaints == []
