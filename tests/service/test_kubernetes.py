"""The manifests for Kubernetes and the example for Airflow, checked without a cluster: against Kubernetes' own schemas, and their commands
against ours.
"""

from __future__ import annotations

import ast
import shlex
from typing import Any

import pytest
import yaml

from pipeline.cli import parser
from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
validate = pytest.importorskip("kubernetes_validate")
Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    files = sorted(FOLDER.glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def of_kind(kind: str) -> Manifest:
    (found,) = [one for one in manifests() if one["kind"] == kind]
    return found


def pods() -> dict[str, Manifest]:
    """Every pod that is made, by the name of its container."""
    cluster = of_kind("RayJob")["spec"]["rayClusterSpec"]
    templates = [
        of_kind("Deployment")["spec"]["template"],
        of_kind("CronJob")["spec"]["jobTemplate"]["spec"]["template"],
        cluster["headGroupSpec"]["template"],
        *(group["template"] for group in cluster["workerGroupSpecs"]),
    ]
    return {template["spec"]["containers"][0]["name"]: template["spec"] for template in templates}


@pytest.mark.parametrize("one", manifests(), ids=lambda one: one["kind"])
def test_kubernetes_would_take_it(one: Manifest) -> None:
    if one["kind"] not in ("Kustomization", "RayJob"):  # read by kustomize and by KubeRay, whose pods are checked below
        validate.validate(one, "1.37.0", strict=True)


@pytest.mark.parametrize("name", list(pods()))
def test_pods_are_valid_and_unprivileged(name: str) -> None:
    pod = pods()[name]
    validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": pod}, "1.37.0", strict=True
    )
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 1000
    assert pod["containers"][0]["resources"]["limits"]["memory"]


def test_a_wrong_manifest_would_be_noticed() -> None:
    wrong = of_kind("Service") | {"spec": {"ports": [{"port": "eighty"}]}}
    with pytest.raises(validate.ValidationError):
        validate.validate(wrong, "1.37.0", strict=True)


def test_what_they_run_is_a_command_of_ours() -> None:
    commands = [pods()[name]["containers"][0]["args"] for name in ("service", "nightly")]
    commands.append(shlex.split(of_kind("RayJob")["spec"]["entrypoint"])[1:])
    commands.append(shlex.split(airflow_command())[1:])
    for command in commands:
        parser().parse_args(command)


def airflow_command() -> str:
    tree = ast.parse((ROOT / "examples" / "airflow_nightly.py").read_text(encoding="utf-8"))
    (command,) = [n.value for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "bash_command"]
    return str(ast.literal_eval(command))


def test_kustomize_knows_every_file_but_the_ray_job() -> None:
    listed = of_kind("Kustomization")["resources"]
    assert sorted([*listed, "kustomization.yaml", "rayjob.yaml"]) == sorted(file.name for file in FOLDER.iterdir())
