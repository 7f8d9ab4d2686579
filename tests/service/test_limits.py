from __future__ import annotations

from pipeline.service.limits import TokenBuckets
from tests.service.conftest import Start


def test_the_rate_is_limited(start: Start) -> None:
    client = start(rate=0.5)  # 2.5 at once
    answers = [client.get("/healthz") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert int(answers[3].headers["retry-after"]) >= 1


def test_buckets_fill_again() -> None:
    buckets = TokenBuckets(rate=2.0, burst=2.0)
    assert [buckets.take("a", 0.0), buckets.take("a", 0.0)] == [0.0, 0.0]
    assert buckets.take("a", 0.0) == 0.5 and buckets.take("b", 0.0) == 0.0
    assert buckets.take("a", 0.5) == 0.0


def test_buckets_forget_who_came_first() -> None:
    buckets = TokenBuckets(rate=1.0, burst=1.0)
    for number in range(20_000):
        buckets.take(str(number), 0.0)
    assert len(buckets._left) == 10_000 and buckets.take("19999", 0.0) == 1.0 and buckets.take("0", 0.0) == 0.0


def test_bodies_have_an_end(start: Start) -> None:
    client = start(max_body=1000, max_upload=2000)
    assert client.post("/analyze", content=b"x" * 1001).status_code == 413
    pieces = client.post("/analyze", content=iter([b"x" * 600] * 3), headers={"content-type": "application/json"})
    assert pieces.status_code == 413, "without a Content-Length too"
    assert client.post("/analyze/batch", files={"file": ("a.csv", b"text\n" + b"x" * 2000)}).status_code == 413
    assert client.post("/analyze/batch", files={"file": ("a.csv", b"text\n" + b"Fine. " * 200)}).status_code == 202
