from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.service.conftest import KEY, UNHAPPY, Start


def test_a_key_is_asked_for_everywhere_but_where_nothing_is(start: Start) -> None:
    client = start(api_key=KEY)
    for path in client.get("/openapi.json", headers={"X-API-Key": KEY}).json()["paths"]:
        status = client.get(path.replace("{job_id}", "0" * 32)).status_code
        assert status == (200 if path in ("/healthz", "/readyz") else 401), path
    assert client.post("/analyze", json=UNHAPPY).status_code == 401
    assert client.get("/insights", headers={"Authorization": f"Bearer {KEY}"}).status_code == 404, "no warehouse yet"
    assert client.get("/metrics", headers={"X-API-Key": KEY[:-1]}).status_code == 401
    page = client.get("/", headers={"accept": "text/html"}, follow_redirects=False)
    assert page.status_code == 303 and page.headers["location"] == "/login"


def test_logging_in_sets_a_cookie_that_does_not_give_the_key_away(start: Start) -> None:
    client = start(api_key=KEY)
    assert "not the key" in client.post("/login", data={"key": "wrong"}).text
    answer = client.post("/login", data={"key": KEY}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and KEY not in cookie
    assert client.get("/").status_code == 200
    client.post("/logout", follow_redirects=False)
    assert client.get("/metrics").status_code == 401


def test_guessing_keys_is_slowed_down(start: Start) -> None:
    client = start(api_key=KEY)
    statuses = [client.get("/metrics", headers={"X-API-Key": f"wrong{n}"}).status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert client.get("/metrics", headers={"X-API-Key": KEY}).status_code == 200, "the right key still opens"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://[bad"},
    ],
)
def test_other_sites_pages_are_kept_out(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/analyze", json=UNHAPPY, headers=headers).status_code == 403
    assert client.post("/analyze", json=UNHAPPY, headers={"origin": "http://testserver"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("LOCALHOST:8000", 200),
        ("[::1]:8000", 200),
        ("a.example.com", 200),
        ("example.com", 403),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
        ("two names", 403),
    ],
)
def test_only_known_hosts_are_answered(start: Start, host: str, status: int) -> None:
    answer = start(hosts=("testserver", "*.example.com")).get("/healthz", headers={"host": host})
    assert answer.status_code == status
    if status == 403:
        assert (
            answer.headers["content-type"] == "application/problem+json" and "--allow-host" in answer.json()["detail"]
        )
        assert answer.headers["x-request-id"], "refused, and recorded all the same"
