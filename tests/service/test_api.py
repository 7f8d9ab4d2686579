from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from pipeline.advice import votes
from pipeline.backends import registry
from pipeline.backends.base import Request, Written
from pipeline.core.warehouse import open_read_only, open_work, publish
from pipeline.report import build
from pipeline.report.render import page as render
from pipeline.service.analyze import Analyzer, prepare
from pipeline.service.app import create_app
from pipeline.service.settings import Settings
from tests.factory import review
from tests.report.test_report import DAY, write_warehouse
from tests.service.conftest import FAKE, UNHAPPY, Live, fake_settings

VOTE = {"review_id": "0" * 16, "suggestion": "Add staff.", "model": "m", "voter": "me"}


def cast(settings: Settings, **changes: Any) -> dict[str, Any]:
    """A vote with its ballot."""
    vote = {**VOTE, "vote": 1, **changes}
    given = votes.ballot(settings.warehouse, vote["review_id"], vote["model"], vote["suggestion"])
    return {"ballot": given, **vote}


def test_an_analysis_holds_everything_and_its_evidence_is_verbatim(client: TestClient) -> None:
    found = client.post("/analyze", json=UNHAPPY).json()
    assert found["sentiment"]["label"] == "negative" and found["unhappy"] and found["language"] == "en"
    assert len(found["emotions"]["probabilities"]) == 28
    assert {theme["theme"] for theme in found["themes"]} >= {"waiting_time", "food_quality"}
    for theme in found["themes"]:
        assert found["text"][theme["start"] : theme["end"]] == theme["evidence"] != ""
    assert len(found["feedback"]["suggestions"]) == 2 and found["reply"]
    assert found["models"]["sentiment"] == found["models"]["feedback"] == "fake"
    assert found["models"]["reply"] == "templates"


def test_a_draft_comes_with_what_a_reply_must_and_must_not_say_also_of_a_pack(tmp_path: Path) -> None:
    settings = fake_settings(tmp_path, FAKE.replace("[sentiment]", 'pack = "salon"\n[sentiment]', 1))
    analyzer = Analyzer(settings.profile)
    row = prepare("A bad salon. Half of my lash extensions were gone after four days.", stars=1.0)
    (found,) = analyzer.write(analyzer.classify([row]))
    known = analyzer.problems["salon_lashes_shed_early"]
    assert known.id in {theme["problem"] for theme in found["themes"]}
    assert (found["reply_say"], found["reply_avoid"]) == (known.reply_say, known.reply_avoid)


def test_classifying_only(client: TestClient) -> None:
    found = client.post("/analyze", json={**UNHAPPY, "generate": False}).json()
    assert found["feedback"] is None and found["reply"] is None and found["unhappy"]


def test_a_happy_review_gets_no_advice_and_no_reply(client: TestClient) -> None:
    found = client.post("/analyze", json={"text": "Lovely soup and friendly people.", "stars": 5}).json()
    assert not found["unhappy"] and found["feedback"] is None and found["reply"] is None


def test_a_language_that_nobody_reads_is_not_guessed(client: TestClient) -> None:
    found = client.post("/analyze", json={"text": "Die Suppe war leider kalt und das Personal unfreundlich."}).json()
    assert (
        found["language"] == "de" and found["sentiment"]["label"] is None and "language" in found["sentiment"]["error"]
    )


def test_the_id_is_that_of_the_warehouse(client: TestClient, tmp_path: Path) -> None:
    from pipeline.core.warehouse import open_memory
    from pipeline.ingest.load import IngestOptions, ingest
    from tests.factory import NOW

    file = tmp_path / "r.csv"
    file.write_text("text,stars,business\nBad soup &amp; a long wait.,2,Blue Door\n")
    warehouse = open_memory()
    ingest(warehouse, [str(file)], IngestOptions(), "r", NOW)
    sent = {"text": "Bad soup &amp; a long wait.", "stars": 2, "business": "Blue Door"}
    assert client.post("/analyze", json=sent).json()["review_id"] == warehouse.value("SELECT review_id FROM reviews")
    warehouse.close()


def test_many_at_once_each_get_their_own(fresh: TestClient) -> None:
    texts = [f"Bad soup number {number}, we waited." for number in range(40)] * 2  # the same text twice at once too
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: fresh.post("/analyze", json={"text": text}).json(), texts))
    assert [item["text"] for item in found] == texts
    metrics = fresh.get("/metrics").text
    batches = float(metrics.split("review_insights_batch_reviews_count ")[1].split("\n")[0])
    assert "review_insights_batch_reviews_sum 80.0" in metrics and batches < 80, "the models saw several at once"


def test_a_stream_tells_first_what_is_known_first(client: TestClient) -> None:
    events = [json.loads(line) for line in client.post("/analyze/stream", json=UNHAPPY).text.splitlines()]
    assert [event["event"] for event in events] == ["classified", "text", "reply", "done"]
    done = events[3]["analysis"]
    assert events[0]["analysis"]["feedback"] is None and done == client.post("/analyze", json=UNHAPPY).json()
    assert events[1]["text"] == done["feedback"]["text"] and events[2]["text"] == done["reply"]
    happy = client.post("/analyze/stream", json={"text": "Lovely soup."}).text.splitlines()
    assert [json.loads(line)["event"] for line in happy] == ["classified", "done"]


def test_advice_is_streamed_as_it_is_written(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a backend that writes word by word, and waits until the word before has arrived."""
    arrived = threading.Semaphore(0)
    advice = "\nThe customer waited.\n\n1. Add staff.\n2. Say how long it takes. "

    class Slow:
        model = "slow"

        def write(self, asked: Sequence[Request]) -> list[Written]:
            (request,) = asked
            if request.on_text is None:
                return [Written(advice.strip(), advice)]
            for end in range(1, len(advice) + 1):
                if advice[end - 1] == " ":
                    assert arrived.acquire(timeout=20), "the words before were not sent on"
                request.on_text(advice[:end])
            return [Written(advice.strip(), advice)]

    monkeypatch.setattr(registry, "teacher", lambda *options: Slow())
    events = []
    live = Live(create_app(settings))
    with live as url, requests.post(f"{url}/analyze/stream", json=UNHAPPY, stream=True, timeout=60) as answer:
        for line in answer.iter_lines():
            events.append(json.loads(line))
            arrived.release()
    pieces = [event["text"] for event in events if event["event"] == "text"]
    assert [event["event"] for event in events] == ["classified", *["text"] * len(pieces), "reply", "done"]
    assert len(pieces) > 5 and "".join(pieces) == advice.strip() == events[-1]["analysis"]["feedback"]["text"]
    assert "on_text" not in events[-1]["analysis"]


def test_json_is_not_shown_while_it_is_written(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    output = json.dumps({"text": "They waited.", "suggestions": ["Add staff.", "Say how long it takes."]})

    class InJson:
        model = "json"

        def write(self, asked: Sequence[Request]) -> list[Written]:
            for end in range(len(output)):
                asked[0].on_text(output[:end])  # type: ignore[misc]
            return [Written(output, output)]

    monkeypatch.setattr(registry, "teacher", lambda *options: InJson())
    events = [json.loads(line) for line in client.post("/analyze/stream", json=UNHAPPY).text.splitlines()]
    shown = [event["text"] for event in events if event["event"] == "text"]
    assert shown == ["They waited.\n\n1. Add staff.\n2. Say how long it takes."]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": ""}, "/body/text"),
        ({"text": "x" * 20_001}, "/body/text"),
        ({"text": "Fine", "stars": 6}, "/body/stars"),
        ({"text": "Fine", "language": "english"}, "/body/language"),
        ({"text": "Fine", "secret key": 1}, "/body/secret key"),
        ({}, "/body/text"),
    ],
)
def test_faults_are_problem_details_that_echo_nothing(client: TestClient, body: dict, pointer: str) -> None:
    answer = client.post("/analyze", json=body)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422 and [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert len(answer.content) < 600 and "input" not in problem["errors"][0]


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"text": NaN}', b'{"text": "\\ud800"}', b"\xff\xfe", b"[" * 5000, b'{"text": "12 %"}']
)
def test_no_input_is_a_server_error(client: TestClient, content: bytes) -> None:
    answer = client.post("/analyze", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and answer.json()["title"]


def test_the_examples_of_the_document_run(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas, ran = document["components"]["schemas"], 0
    for path, operations in document["paths"].items():
        content = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            for example in schemas[content["schema"]["$ref"].rsplit("/", 1)[1]]["examples"]:
                answer = client.post(path, json=example)
                # A ballot cannot be an example: each service makes its own.
                assert answer.is_success or (path == "/votes" and "ballot" in answer.text)
                ran += 1
    assert ran == 3


# --- The warehouse ---


def test_without_a_warehouse_the_next_step_is_named(client: TestClient) -> None:
    for path in ("/insights", "/pain-points", "/report/latest"):
        answer = client.get(path)
        assert answer.status_code == 404 and "review-insights run" in answer.json()["detail"]
    assert "review-insights run" in client.get("/dashboard").text
    assert client.get("/readyz").json()["warehouse"] is False


def test_a_newly_published_warehouse_is_noticed(fresh: TestClient, settings: Settings) -> None:
    for number, texts in enumerate((["We waited an hour."], ["We waited an hour.", "The soup was cold."]), 1):
        settings.warehouse.unlink(missing_ok=True)
        write_warehouse(settings.warehouse, texts)
        assert len(fresh.get("/insights").json()["items"]) == number
        assert fresh.get("/pain-points").json()["items"][0]["mentions"] == number
        assert f"<p>{number} reviews" in fresh.get("/dashboard").text
    assert texts[-1] in fresh.get("/report/latest").text


def test_a_warehouse_that_cannot_be_read_gives_no_path_away(fresh: TestClient, settings: Settings) -> None:
    settings.warehouse.write_bytes(b"not a warehouse " * 1000)
    for path in ("/insights", "/pain-points", "/report/latest", "/dashboard"):
        answer = fresh.get(path)
        assert answer.status_code == 503 and "review-insights run" in answer.json()["detail"]
        assert str(settings.warehouse.parent) not in answer.text


def test_pages_of_insights_hold_every_review_once(fresh: TestClient, settings: Settings) -> None:
    from datetime import datetime

    opened = open_work(settings.warehouse)
    days = [None, datetime(2026, 1, 5), datetime(2026, 1, 5), datetime(2026, 3, 1)]
    rows = [
        review(f"Review {n}", reviewed_at=days[n % 4], stars=float(n % 5 + 1), source="/data/a.csv") for n in range(23)
    ]
    opened.append("store.reviews", rows)
    publish(opened)
    seen, after = [], ""
    while True:
        page = fresh.get(f"/insights?limit=4{after}").json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(item["review_id"] for item in seen) == sorted(row["review_id"] for row in rows)
    order = [(item["reviewed_at"] or "", item["review_id"]) for item in seen]
    assert order == sorted(sorted(order, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)
    assert {item["source"] for item in seen} == {"a.csv"}, "no path of this machine"
    few = fresh.get("/insights?min_stars=5&until=2026-01-05&contains=REVIEW").json()["items"]
    assert few and all(item["stars"] == 5 and item["reviewed_at"].startswith("2026-01-05") for item in few)
    assert fresh.get("/insights?after=nonsense").status_code == 422


def test_votes_survive_publishing_and_reach_the_report(fresh: TestClient, settings: Settings) -> None:
    write_warehouse(settings.warehouse, ["We waited an hour."])
    for voter, vote in (("a", 1), ("b", -1), ("c", -1), ("c", 0), ("d", -1)):
        assert fresh.post("/votes", json=cast(settings, voter=voter, vote=vote)).status_code == 204
    settings.warehouse.unlink()
    write_warehouse(settings.warehouse, ["The soup was cold."])
    found = votes.summary(settings.warehouse)
    assert found["by_model"] == [{"model": "m", "up": 1, "down": 2, "reviews": 1}]
    assert found["worst"] == [{"suggestion": "Add staff.", "up": 1, "down": 2}]
    opened = open_read_only(settings.warehouse)
    folder = build.write(opened, settings.warehouse.parent / "out", DAY).folder
    opened.close()
    for name in ("report.html", "report.md"):
        assert "What people think of the advice" in (folder / name).read_text()
    assert "What people think" in fresh.get("/report/latest").text


def test_a_vote_must_be_one(fresh: TestClient, settings: Settings) -> None:
    for wrong in ({"vote": 2}, {"review_id": "../etc"}, {"voter": "a b"}, {"ballot": ""}):
        assert fresh.post("/votes", json=cast(settings) | wrong).status_code == 422


def test_only_advice_that_was_given_can_be_voted_on(fresh: TestClient, settings: Settings) -> None:
    given = fresh.post("/analyze", json=UNHAPPY).json()
    vote = {
        "review_id": given["review_id"],
        "model": given["models"]["feedback"],
        "suggestion": given["feedback"]["suggestions"][0],
        "ballot": given["feedback"]["ballots"][0],
        "vote": 1,
        "voter": "me",
    }
    assert fresh.post("/votes", json=vote).status_code == 204
    for made_up in (
        {"review_id": "f" * 16},
        {"suggestion": "Buy <b>shares</b>."},
        {"model": "other"},
        {"ballot": "0" * 32},
    ):
        answer = fresh.post("/votes", json=vote | made_up)
        assert answer.status_code == 422 and "ballot" in answer.text
    assert votes.summary(settings.warehouse)["by_model"][0]["up"] == 1


def test_damaged_votes_do_not_cost_the_report(fresh: TestClient, settings: Settings) -> None:
    write_warehouse(settings.warehouse, ["We waited an hour."])
    votes.votes_path(settings.warehouse).write_bytes(b"no database at all" * 100)
    for page in (fresh.get("/report/latest").text, render(open_read_only(settings.warehouse))):
        assert "Votes cannot be read" in page
