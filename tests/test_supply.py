"""What comes from elsewhere: licences that are allowed, versions with hashes, and no code that is fetched at run time."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from email.message import Message
from importlib.metadata import distributions

import pytest
from packaging.utils import canonicalize_name

from tests import licences
from tests.conftest import ROOT

FETCHERS = {
    "hub.load",
    "torch.hub",
    "nltk.download",
    "evaluate.load",
    "get_kernel",
    "kernelize",
    "torch.load",
    "load_dataset_builder",
}


def test_every_installed_dependency_has_an_allowed_licence() -> None:
    names = licences.needed()
    assert {"duckdb", "torch", "pytest"} <= names
    packages = [package for package in distributions() if canonicalize_name(package.metadata["Name"]) in names]
    assert licences.refused(packages) == {}
    assert all(reason for reason in licences.EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"License-Expression": "MIT OR GPL-3.0-only"}, True),
        ({"License-Expression": "MIT AND GPL-3.0-only"}, False),
        ({"License-Expression": "Apache-2.0 AND (BSD-2-Clause OR MIT)"}, True),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, True),
        ({"Classifier": "License :: Other/Proprietary License"}, False),
        ({"License": "all rights reserved"}, False),
        ({}, False),
    ],
)
def test_what_is_allowed(headers: dict[str, str], allowed: bool) -> None:
    class Package:
        metadata = Message()

    Package.metadata = Message()
    for name, value in {"Name": "Planted", **headers}.items():
        Package.metadata[name] = value
    assert (licences.refused([Package()]) == {}) == allowed  # type: ignore[list-item]


def test_nothing_in_the_package_fetches_code() -> None:
    """No kernels, repositories or scripts of a hub, and nothing pickled; a model that wants its own code is refused."""
    found = []
    for file in (ROOT / "pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                trusting = [
                    k
                    for k in node.keywords
                    if k.arg in ("trust_remote_code", "use_kernels") and getattr(k.value, "value", 1)
                ]
                if trusting or any(called == name or called.endswith(f".{name}") for name in FETCHERS):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno} {called}")
                if re.fullmatch(r"Auto\w+\.from_pretrained|auto\.from_pretrained", called):
                    named = {k.arg for k in node.keywords}
                    assert "trust_remote_code" in named, f"{file}:{node.lineno} would ask at the terminal"
    assert found == []
    assert not re.search("^kernels==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


@pytest.mark.slow
def test_native_code_of_a_hub_is_off_before_anything_is_imported() -> None:
    code = "import pipeline; from transformers.integrations import hub_kernels; print(hub_kernels._kernels_enabled)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_lock_has_the_versions_of_the_constraints_with_their_hashes() -> None:
    """Renew with: make lock"""
    pinned = re.compile(r"^([\w.-]+)==([^\s;]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
    locked = {canonicalize_name(m[1]): (m[2], m[3]) for m in pinned.finditer((ROOT / "requirements.lock").read_text())}
    wanted = dict(m.groups()[:2] for m in pinned.finditer((ROOT / "constraints.txt").read_text()))
    for name, version in wanted.items():
        if canonicalize_name(name) in locked:
            assert locked[canonicalize_name(name)][0] == version, f"{name}: make lock"
    assert {"duckdb", "torch", "fastapi", "pytest"} <= locked.keys()
    assert all("--hash=sha256:" in rest for _, rest in locked.values())
    assert "://" not in (ROOT / "requirements.lock").read_text(), "no registry by its address"
