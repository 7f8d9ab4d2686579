from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli import main
from pipeline.core.errors import BackendDown, InputError
from pipeline.tuning import push, trainer
from tests import labelled_rows
from tests.checkpoints import Checkpoints

TOKEN = "hf_test_token"  # of the server below


class Hub:
    """The four calls of an upload, answered as the hub does; what came is kept."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self.status = 200
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                self._answer(404, {"error": "not found"})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hub.tokens.add(self.headers.get("Authorization"))
                if hub.status != 200:
                    self._answer(hub.status, {"error": "no"})
                elif self.path == "/api/repos/create":
                    hub.created.append(json.loads(body))
                    self._answer(200, {"url": f"{hub.url}/me/mine"})
                elif "/preupload/" in self.path:
                    files = [
                        {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                        for file in json.loads(body)["files"]
                    ]
                    self._answer(200, {"files": files})
                elif "/commit/" in self.path:
                    for line in body.decode().splitlines():
                        item = json.loads(line)
                        if item["key"] == "file":
                            hub.files[item["value"]["path"]] = base64.b64decode(item["value"]["content"])
                    self._answer(
                        200, {"commitUrl": f"{hub.url}/me/mine/commit/abc", "commitOid": "abc", "success": True}
                    )
                else:
                    self._answer(200, {"errors": [], "warnings": []})

            def _answer(self, status: int, content: dict[str, Any]) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.server.serve_forever)
    thread.start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield hub
    hub.server.shutdown()
    hub.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def tuned(tiny: Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("push") / "sentiment-tiny"
    own = labelled_rows.settings(tiny.distilbert_base, "lora", num_train_epochs=1)
    trainer.train(labelled_rows.parts(), ("negative", "neutral", "positive"), own, folder)
    figures = {
        role: {
            "accuracy": 0.5,
            "macro_f1": 0.4,
            "macro_auc": None,
            "ece": 0.1,
            "languages": {"de": {"n": 9, "accuracy": 0.5, "macro_f1": 0.4, "ece": 0.1}},
        }
        for role in ("base", "tuned")
    }
    (folder / "figures.json").write_text(json.dumps(figures | {"verdict": "The tuned model is not clearly different."}))
    (folder / "model" / "optimizer.pt").write_bytes(b"a pickle")
    return folder


def test_a_classifier_with_its_card(
    hub: Hub, tuned: Path, tiny: Checkpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "push",
        "--model",
        str(tuned),
        "--repo",
        "me/mine",
        "--licence",
        "apache-2.0",
        "--trained-on",
        "Own rows.",
    ]
    assert main(command) == 0
    assert capsys.readouterr().out.strip().endswith("me/mine")
    assert hub.created[0]["visibility"] == "private" and hub.tokens == {f"Bearer {TOKEN}"}
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors", "config.json", "tokenizer.json"} <= set(
        hub.files
    )
    assert not any(name.endswith(".pt") for name in hub.files), "no pickle leaves this machine"
    card = hub.files["README.md"].decode()
    head = yaml.safe_load(card.split("---")[1])
    assert head["license"] == "apache-2.0" and head["library_name"] == "peft" and head["language"] == ["de", "en"]
    assert "base_model" not in head, "a local folder is no model of the hub"
    assert "| tuned | 0.500 | 0.400 | – | 0.100 |" in card and "Own rows." in card and 'model = "me/mine"' in card
    everything = b"".join(hub.files.values())
    assert str(Path(tiny.distilbert_base).parent).encode() not in everything, "no path of this machine"
    assert json.loads(hub.files["adapter_config.json"])["base_model_name_or_path"] == "distilbert_base"


def test_a_student_s_adapter(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "microsoft/phi-2", "r": 32}))
    assert push.push(tmp_path, "me/mine", private=False).endswith("me/mine")
    assert hub.created[0]["visibility"] == "public"
    card = hub.files["README.md"].decode()
    head = yaml.safe_load(card.split("---")[1])
    assert head["base_model"] == "microsoft/phi-2" and head["pipeline_tag"] == "text-generation"
    assert "rank 32" in card and "Not stated" in card


def test_the_token_comes_from_the_environment_only(hub: Hub, tuned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match="HF_TOKEN"):
        push.push(tuned, "me/mine")
    assert not hub.created and not hub.tokens


@pytest.mark.parametrize("repository", ["mine", "me/mine/too", "me/ mine", "/", "../x", "me--x/y"])
def test_a_repository_is_owner_and_name(hub: Hub, tuned: Path, repository: str) -> None:
    with pytest.raises(InputError, match="OWNER/NAME"):
        push.push(tuned, repository)


def test_what_is_no_model(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no model"):
        push.push(tmp_path, "me/mine")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_one_clear_line(hub: Hub, tuned: Path, status: int) -> None:
    hub.status = status
    with pytest.raises(InputError, match="HTTP 4") as caught:
        push.push(tuned, "me/mine")
    assert TOKEN not in str(caught.value) and "\n" not in str(caught.value)


def test_a_hub_that_is_away(tuned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(BackendDown, match="cannot be reached"):
        push.push(tuned, "me/mine")
