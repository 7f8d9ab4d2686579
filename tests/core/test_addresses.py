"""Which servers stand in one's own network."""

from __future__ import annotations

import pytest

from pipeline.core.addresses import is_near


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:11434/v1", "http://127.0.0.1:8000", "http://127.9.9.9", "http://[::1]:8000/v1", "http://10.1.2.3/v1",
        "http://192.168.0.7:1234", "http://172.16.5.5", "http://[fd00::1]/v1", "http://[fe80::1%25eth0]/v1", "http://ollama:11434/v1",
        "http://gpu-box.local/v1", "http://llm.internal", "http://key:secret@localhost/v1", "localhost:8000/v1", "http://[::ffff:10.0.0.1]/",
        "HTTP://LOCALHOST./v1",
    ],
)  # fmt: skip
def test_near(address: str) -> None:
    assert is_near(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.openai.com/v1", "http://8.8.8.8/v1", "http://localhost.example.com", "http://127.0.0.1.nip.io", "http://134744072/v1",
        "http://0x08080808/v1", "http://[2001:4860:4860::8888]/v1", "http://[::ffff:8.8.8.8]/v1", "http://localhost@example.com/v1", "",
        "http://", "http://[broken/v1", "http://172.32.0.1",
    ],
)  # fmt: skip
def test_far_or_unknown(address: str) -> None:
    assert not is_near(address)
