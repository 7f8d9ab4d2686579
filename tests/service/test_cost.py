from __future__ import annotations

import csv
import io

from pipeline.service.cost import cost_of, read_to
from tests.service.conftest import Start
from tests.service.test_jobs import send

QUOTES = '"Bad soup." ' * 1600


def test_a_text_costs_about_its_tokens() -> None:
    assert cost_of("") == 0 and cost_of("We waited.") == 4 and cost_of("我们等了") == 4 and cost_of("スープ") == 3
    assert cost_of('"' * 100) == 100 and cost_of("1" * 300) == 100 and cost_of("a " * 100) == 100


def test_prose_is_read_to_its_end_and_what_costs_too_much_to_the_end_of_a_sentence() -> None:
    prose = "We waited fifty minutes for the soup and nobody told us why it took so long, which was rather rude. " * 190
    assert 18_000 < len(prose) < 20_000 and read_to(prose, 7_000) is None
    end = read_to(QUOTES, 7_000)
    assert end and 8_000 < end < 12_000 and QUOTES[:end].endswith('" ') and read_to(QUOTES[:end], 7_000) is None
    assert read_to("a" * 20_000, 1000) == 1000 and read_to("", 0) is None


def test_a_cut_is_said_everywhere(start: Start) -> None:
    client = start(max_cost=50, long=20)
    long = "We waited an hour. " * 20
    answer = client.post("/analyze", json={"text": long}).json()
    assert answer["text"] == long.strip() and 0 < answer["read_to"] < 200
    assert all(theme["end"] <= answer["read_to"] for theme in answer["themes"]) and answer["themes"]
    assert client.post("/analyze", json={"text": "We waited an hour."}).json()["read_to"] is None
    assert f"Only its first {answer['read_to']} characters were read" in client.post("/", data={"text": long}).text
    job = send(client, "r.csv", f"text\n{long}\nWe waited an hour.\n".encode())
    table = client.get(f"/analyze/batch/{job['job_id']}/results?format=csv").text
    reasons = [row["reason"] for row in csv.DictReader(io.StringIO(table.lstrip("\ufeff")))]
    assert reasons == [f"only its first {answer['read_to']} characters were read", ""]
