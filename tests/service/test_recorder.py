from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient

from tests.service.conftest import UNHAPPY


def test_every_answer_bears_its_headers(client: TestClient) -> None:
    for path in ("/", "/nope", "/healthz", "/static/page.js"):
        headers = client.get(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"] and headers["x-content-type-options"] == "nosniff"


def test_a_failure_shows_no_trace_and_logs_no_text(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rows: object) -> None:
        raise RuntimeError(f"cannot read {rows}")

    monkeypatch.setattr(client.app.state.parts.engine.classify, "work", broken)  # type: ignore[attr-defined]
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/analyze?note=Bad+soup", json=UNHAPPY)
        client.post("/", data={"text": UNHAPPY["text"]})
    assert answer.status_code == 500 and set(answer.json()) == {"type", "title", "status", "detail", "errors"}
    assert "RuntimeError" not in answer.text and "soup" not in answer.text
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("pipeline.service")]
    assert any("RuntimeError at test_recorder.py" in message for message in messages), "kind and place are logged"
    served = [record for record in caplog.records if not record.name.startswith("httpx")]  # the client is no part of it
    assert not any("oup" in record.getMessage() for record in served)
