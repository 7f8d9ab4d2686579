"""Hostile requests against the whole service on a real port: none may end in a server error, and every answer must be one
that the OpenAPI document tells of.

    python -m tests.service.hostile --examples 10000 --strings naughty_strings.json

`--strings`: a JSON list of texts that are known to break things; each goes through every field that takes text.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits

from pipeline.service.app import create_app
from tests.report.test_report import write_warehouse
from tests.service.conftest import Live, fake_settings

Counts = Counter[int]  # answers by status


def service(folder: Path) -> Live:
    """On fake models, with a small warehouse."""
    settings = fake_settings(folder)
    write_warehouse(settings.warehouse, ["We waited an hour.", "The soup was cold."])
    return Live(create_app(settings))


def generated(url: str, examples: int) -> Counts:
    """Requests made up from the OpenAPI document, right ones and wrong ones, about `examples` in all."""
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as openapi

    checks = [
        not_a_server_error,
        openapi.status_code_conformance,
        openapi.content_type_conformance,
        openapi.response_schema_conformance,
    ]
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    wide = [operation for operation in operations if operation.body or list(operation.iter_parameters())]
    counts: Counts = Counter()
    with requests.Session() as session:

        def ask(case: Any) -> None:
            answer = case.call(base_url=url, session=session, timeout=120)
            counts[answer.status_code] += 1
            case.validate_response(answer, checks=checks)

        for operation in operations:
            modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if operation in wide else [])]
            for mode in modes:
                # An operation that takes nothing has one request; the others share what is left.
                most = max(examples // (2 * len(wide)), 1) if operation in wide else 1
                bounded = limits(
                    max_examples=most,
                    deadline=None,
                    database=None,
                    derandomize=True,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                bounded(given(case=operation.as_strategy(generation_mode=mode))(ask))()
    return counts


def known(url: str, texts: Sequence[str]) -> Counts:
    """Each text through every field that takes text."""
    counts: Counts = Counter()
    with requests.Session() as session:

        def ask(method: str, path: str, **content: Any) -> None:
            answer = session.request(method, url + path, allow_redirects=False, **content)
            counts[answer.status_code] += 1
            assert answer.status_code < 500, f"{method} {path}: {answer.status_code} for {content!r}"

        for text in texts:
            ask("POST", "/analyze", json={"text": text, "stars": 1})
            ask("POST", "/analyze", json={"text": f"Bad. {text}", "business": text[:200], "stars": 1})
            ask("POST", "/analyze/stream", json={"text": text})
            ask("POST", "/", data={"text": text, "business": text, "stars": text})
            ask("GET", "/insights", params={"contains": text[:200], "business": text[:200], "after": text[:200]})
            ask(
                "POST",
                "/votes",
                json={"review_id": "0" * 16, "suggestion": text, "model": text, "vote": 1, "voter": "v"},
            )
            ask("POST", "/login", data={"key": text})
            ask("GET", f"/analyze/batch/{requests.utils.quote(text, safe='')}")
        for chunk in ("\n".join(texts), json.dumps(texts), "\n".join(json.dumps({"text": text}) for text in texts)):
            for name in ("r.csv", "r.json", "r.jsonl", "../r.tsv"):
                ask(
                    "POST",
                    "/analyze/batch",
                    files={"file": (name, ("text\n" + chunk).encode("utf-8", "surrogatepass"))},
                )
        ask("GET", "/dashboard")
        ask("GET", "/report/latest")
    return counts


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--examples", type=int, default=1000)
    arguments.add_argument("--strings", type=Path)
    args = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as url:
        counts = generated(url, args.examples)
        if args.strings:
            counts += known(url, json.loads(args.strings.read_text(encoding="utf-8")))
    print(f"{counts.total()} requests: " + ", ".join(f"{n} times {status}" for status, n in sorted(counts.items())))
    return int(any(status >= 500 for status in counts))


if __name__ == "__main__":
    sys.exit(main())
