from __future__ import annotations

import contextlib
import csv
import html
import html.parser
import itertools
import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from pipeline.core import ledger, queries
from pipeline.core.assets import WAREHOUSE
from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, open_memory, open_read_only, open_work, publish
from pipeline.quality import summary
from pipeline.report import build, export
from pipeline.report.content import gather
from pipeline.report.scope import Scope
from pipeline.report.segments import strongest
from tests.factory import NOW, problem, review, source

HOSTILE = '=cmd|"/c calc"!A1 <script>alert(1)</script> <img src=x onerror=alert(1)> & "quotes" \u202ereversed {{ 7*7 }}'
DAY = date(2026, 11, 2)


def assert_harmless(page: Page) -> None:
    """No script, and no link but to parts of the page."""
    for name, value in page.attributes:
        assert not name.startswith("on") and name != "src", name
        assert name != "href" or re.fullmatch("#[a-z-]+", value or ""), value


def write_warehouse(path: Path, reviews: list[str], meteor: float = 0.3, apart: int = 0, bare: bool = False) -> Path:
    """A published warehouse: every review negative, with one theme, feedback and a scored student. `apart`: days between
    one review and the next; `bare`: nothing but texts.
    """
    opened = open_work(path)
    run = ledger.row("run-1", "embedded", NOW, finished_at=NOW, status="done")
    opened.append("runs", [run | {"environment": "{}"}])
    days = [datetime(2026, 10, 1) - timedelta(days=apart * number) for number in range(len(reviews))]
    rows = [
        review(text, business=text[:30], stars=2.0, reviewed_at=day) for text, day in zip(reviews, days, strict=True)
    ]
    if bare:
        rows = [row | {"business": None, "stars": None, "reviewed_at": None} for row in rows]
    opened.append("store.reviews", rows)
    stages = ("sentiment", "emotions", "themes", "discover", "feedback", "distill", "generate", "score")
    opened.append("store.current", [{"stage": stage, "fingerprint": "f"} for stage in stages])
    opened.append("store.problems", [problem()])
    themes, feelings, judged, written, scored, beyond = [], [], [], [], [], []
    for row in rows:
        key = {"review_id": row["review_id"], "fingerprint": "f", "run_id": "run-1"}
        text = row["text"]
        judged.append({**key, "label": "negative", "negative": 0.9, "neutral": 0.1, "positive": 0.0, "model": "m"})
        feelings.append({**key, "labels": ["anger"], "probabilities": [("anger", 0.9)], "model": "m"})
        themes.append({**key, "theme": "waiting_time", "evidence": text, "sentiment": "negative", "score": -0.8})
        themes[-1]["problem"] = None if bare else problem()["problem"]
        beyond.append({**key, "place": 0, "evidence": text, "theme": "d1", "closeness": 0.8})
        written.append({**key, "model": "m", "role": "teacher", "text": text, "suggestions": ["Add staff.", text]})
        scored += [
            {**key, "role": role, "bleurt": -0.1, "bertscore_f1": 0.6, "meteor": value, "grounding": 0.5}
            for role, value in (("student", meteor), ("control_constant", 0.2))
        ]
    discovered = {"theme": "d1", "name": "Soup & <b>", "words": ["soup"], "centroid": b"", "fingerprint": "f"}
    discovered["run_id"] = "run-1"
    tables = {
        "sentiment": judged,
        "emotions": feelings,
        "themes": themes,
        "feedback": written,
        "score": scored,
        "discover": beyond,
        "discovered": [discovered],
    }
    for table, filled in tables.items():
        opened.append(f"store.{table}", filled)
    compared = summary.compare(opened.query("SELECT * FROM scores"))
    opened.append("comparisons", [{"run_id": "run-1", **row} for row in compared])
    opened.append(
        "metrics",
        [
            {
                "run_id": "run-1",
                "role": role,
                "metric": "meteor",
                "n": 500,
                "mean": value,
                "std": 0.1,
                "ci_low": value - 0.01,
                "ci_high": value + 0.01,
                "median": value,
                "min": 0.0,
                "p25": 0.1,
                "p75": 0.4,
                "max": 0.9,
                "model": "nltk",
            }
            for role, value in (("student", meteor), ("control_constant", 0.2))
        ],
    )
    return publish(opened)


def write(path: Path, out: Path, day: date = DAY, **more: Any) -> Path:
    """The folder of a report on a published warehouse."""
    with contextlib.closing(open_read_only(path)) as opened:
        return build.write(opened, out, day, **more).folder


class Page(html.parser.HTMLParser):
    """Tags and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.quotes: list[str] = []
        self._in_quote = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "blockquote":
            self._in_quote = True
            self.quotes.append("")
        if tag in ("br", "small"):
            self._in_quote = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "blockquote":
            self._in_quote = False

    def handle_data(self, data: str) -> None:
        if self._in_quote:
            self.quotes[-1] += data


def test_a_hostile_review_cannot_break_the_page(tmp_path: Path) -> None:
    folder = write(write_warehouse(tmp_path / "w.duckdb", [HOSTILE, "We waited an hour."]), tmp_path / "out", DAY)
    page = Page((folder / "report.html").read_text())
    assert "script" not in page.tags and "img" not in page.tags and "link" not in page.tags
    assert_harmless(page)
    assert {quote.strip() for quote in page.quotes} == {HOSTILE, "We waited an hour."}, "quotes are verbatim"


def test_the_files_and_their_cells(tmp_path: Path) -> None:
    folder = write(write_warehouse(tmp_path / "w.duckdb", [HOSTILE]), tmp_path / "out", DAY)
    assert folder == tmp_path / "out" / "2026-11-02"
    assert sorted(file.name for file in folder.iterdir()) == [
        "insights.csv",
        "insights.json",
        "insights.parquet",
        "insights.xlsx",
        "report.html",
        "report.md",
    ]
    with (folder / "insights.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == "'" + HOSTILE and row["suggestions"].startswith("Add staff.; ")
    assert pq.read_table(folder / "insights.parquet").to_pylist()[0]["text"] == HOSTILE


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formula_cells_are_neutralised(value: str) -> None:
    assert export.neutralise(value) == f"'{value}"
    assert export.neutralise("fine - really") == "fine - really" and export.neutralise(-1.5) == -1.5


def test_the_same_warehouse_gives_the_same_bytes_and_replaces_its_date(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."])
    first = {file.name: file.read_bytes() for file in write(path, tmp_path / "out", DAY).iterdir()}
    again = {file.name: file.read_bytes() for file in write(path, tmp_path / "out", DAY).iterdir()}
    assert first == again
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["2026-11-02"], "no scratch folder is left"


def test_an_empty_warehouse_says_so(tmp_path: Path) -> None:
    folder = write(publish(open_work(tmp_path / "w.duckdb")), tmp_path / "out", DAY)
    for name in ("report.html", "report.md"):
        text = (folder / name).read_text()
        assert "no reviews in the warehouse yet" in text and "No student was scored" in text


def test_the_verdict_is_said_in_words(tmp_path: Path) -> None:
    good = write(
        write_warehouse(tmp_path / "g.duckdb", [f"Waited {n} minutes." for n in range(25)], 0.3), tmp_path / "g", DAY
    )
    assert "The tuned student does not beat the control: one constant text" in (good / "report.md").read_text(), (
        "equal grounding"
    )
    assert "METEOR 0.300 against 0.200 (difference +0.100 to +0.100)" in (good / "report.md").read_text()
    few = write(write_warehouse(tmp_path / "f.duckdb", ["Waited."], 0.3), tmp_path / "f", DAY)
    assert "does not beat" in (few / "report.md").read_text(), "one review proves nothing"


def test_every_named_query_runs_on_an_empty_warehouse() -> None:
    opened = open_memory()
    for file in sorted((WAREHOUSE / "queries").glob("*.sql")):
        query = queries.load(file.stem)
        opened.query(query.sql, query.bind({}))
    opened.close()


def test_charts_carry_their_title_and_escape_it(tmp_path: Path) -> None:
    from pipeline.report import charts

    drawn = charts.bars('<b>"x"', [("<i>", 3.0)])
    assert "<b>" not in drawn and "<i>" not in drawn and 'role="img"' in drawn
    assert charts.histograms("t", []) == "" and charts.scatter("t", [], "x", "y", "c") == ""
    assert charts.histograms("t", [("a", [0.5, 0.5])]).count("<rect") == 20
    assert charts.scatter("t", [(0.1, 0.2, 0.3)], "x", "y", "c").count("<circle") == 1


def test_an_export_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    texts = [HOSTILE, "_x000D_ & <b>\x0bbold\x1f</b>", "x" * 40_000, "+1 for the soup"]
    folder = write(write_warehouse(tmp_path / "w.duckdb", texts), tmp_path / "out", DAY)
    sheet = openpyxl.load_workbook(folder / "insights.xlsx").active
    assert sheet is not None
    names, *rows = sheet.iter_rows(values_only=True)
    # Excel reads _x005F_ as an underscore that begins no escape; openpyxl shows it.
    cells = {str(row[names.index("text")]).replace("_x005F_", "_") for row in rows}
    assert cells == {"'" + HOSTILE, "_x000D_ & <b>bold</b>", "x" * 32_767, "'+1 for the soup"}
    assert rows[0][names.index("reviewed_at")] == datetime(2026, 10, 1) and rows[0][names.index("stars")] == 2
    loaded = json.loads((folder / "insights.json").read_text())
    assert {row["text"] for row in loaded} == set(texts)
    assert all(row["reply_language"] == "en" and len(row["reply"]) > 100 for row in loaded)


def test_the_page_can_be_read_without_eyes_or_mouse(tmp_path: Path) -> None:
    folder = write(write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."] * 1), tmp_path / "out", DAY)
    source = (folder / "report.html").read_text()
    page = Page(source)
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), "no level is skipped"
    assert page.tags.count("th") == source.count('scope="col"') + source.count('scope="row"')
    assert page.tags.count("svg") == page.tags.count("desc") == source.count('role="img"')
    assert ("lang", "en") in page.attributes and "prefers-color-scheme: dark" in source and "@media print" in source
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)) and {v for n, v in page.attributes if n == "aria-labelledby"} == set(ids)


def test_every_quote_is_verbatim_and_every_figure_is_found_again(tmp_path: Path) -> None:
    texts = [f"We waited {n} minutes for a table. The soup was cold." for n in range(12)]
    path = write_warehouse(tmp_path / "w.duckdb", texts)
    source = (write(path, tmp_path / "out", DAY) / "report.html").read_text()
    assert Page(source).quotes and all(quote.strip() in texts for quote in Page(source).quotes)
    reader = open_read_only(path)
    query = queries.load("top_pain_points")
    (pain,) = reader.query(query.sql, query.bind({}))
    assert pain["mentions"] == 12 and f"{pain['mentions']} of {pain['reviews']} reviews complain of it" in source
    query = queries.load("discovered_themes")
    (new,) = reader.query(query.sql, query.bind({}))
    assert (
        new["reviews"] == 12
        and f"{new['reviews']} of {new['of_reviews']} reviews" in source
        and len(new["quotes"]) == 3
    )
    assert "Also mentioned, not in the taxonomy" in source and "Soup &amp; &lt;b&gt;" in source
    query = queries.load("actions")
    best = reader.query(query.sql, query.bind({}))[0]
    assert best["name"] == "Long wait for the food" and best["reviews"] == 12
    (shown,) = re.findall(r'<section aria-labelledby="actions">.*?</section>', source, re.DOTALL)
    assert all(best[part] in shown for part in ("name", "action", "cause", "who", "measure")) and "12 of 12" in shown
    assert {quote["evidence"] for quote in best["quotes"]} <= set(texts) and len(best["quotes"]) == 3


def test_a_choice_of_business_and_days(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["Waited long.", "Cold soup."])
    one = write(path, tmp_path / "one", DAY, scope=Scope(business="Cold soup."))
    page = (one / "report.html").read_text()
    assert "Cold soup." in page and "Waited long." not in page
    assert len(json.loads((one / "insights.json").read_text())) == 1
    none = write(path, tmp_path / "none", DAY, scope=Scope(since=date(2026, 10, 2)))
    assert "No reviews fit this choice" in (none / "report.html").read_text()
    assert "No reviews fit this choice" in (none / "report.md").read_text()
    with pytest.raises(InputError, match="no day lies between"):
        write(path, tmp_path / "x", DAY, scope=Scope(since=DAY, until=date(2026, 1, 1)))


def test_an_identifier_of_a_data_set_is_not_shown_as_a_name(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["Xk7-9fQ2_pLm4RzT81vB", "Cold soup."])
    page = (write(path, tmp_path / "out", DAY) / "report.html").read_text()
    assert "<small>Cold soup. ·" in page and "<small>Xk7-9fQ2_pLm4RzT81vB" not in page


def test_texts_alone_leave_no_holes(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["Cold soup.", "Late again."], bare=True)
    folder = write(path, tmp_path / "out", DAY)
    for name in ("report.md", "report.html"):
        text = (folder / name).read_text()
        assert "()" not in text and "stars on average" not in text, name


def test_each_business_gets_its_own_folder(tmp_path: Path) -> None:
    same = [f"{'A bad <b>place</b> to be in, ever':<30}{n}" for n in range(5)]
    path = write_warehouse(tmp_path / "w.duckdb", [*same, "Another one."])
    folder = write(path, tmp_path / "out", DAY, per_business=True)
    (own,) = (folder / "businesses").iterdir()
    assert re.fullmatch("[0-9a-f]{12}", own.name), "a business may have a person's name"
    assert f'href="businesses/{own.name}/report.html"' in (folder / "report.html").read_text()
    assert len(json.loads((own / "insights.json").read_text())) == 5
    assert "Can this be trusted" not in (own / "report.html").read_text()


def test_a_warehouse_without_todays_views_says_how_to_renew_it(tmp_path: Path) -> None:
    opened = open_work(tmp_path / "w.duckdb")
    opened.execute("DROP VIEW complaints")
    with pytest.raises(InputError, match=r"written by another version .* Renew it: review-insights run"):
        write(publish(opened), tmp_path / "out", DAY)
    assert not (tmp_path / "out").exists(), "nothing is left behind"


def test_own_groups_of_emotions(tmp_path: Path) -> None:
    path, groups = write_warehouse(tmp_path / "w.duckdb", ["Waited long."]), tmp_path / "groups.toml"
    groups.write_text('[mood]\nupset = ["anger", "annoyance"]\n')
    assert ">upset</text>" in (write(path, tmp_path / "out", DAY, emotion_groups=groups) / "report.html").read_text()
    for text, says in (
        ('[mood]\nupset = ["rage"]\n', "'rage' is none"),
        ("mood = 1", "table per scheme"),
        ("[", "read"),
    ):
        groups.write_text(text)
        with pytest.raises(InputError, match=says):
            write(path, tmp_path / "out", DAY, emotion_groups=groups)


def test_a_warehouse_without_labels_falls_back_to_the_shipped_ones(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."])
    assert "“Waiting time”" in (write(path, tmp_path / "out") / "report.html").read_text()
    opened = open_work(path)
    opened.execute("DROP VIEW taxonomy")  # as an older version wrote it
    opened.execute("DROP TABLE store.taxonomy")
    assert "“Waiting time”" in (write(publish(opened), tmp_path / "old") / "report.html").read_text()


@pytest.mark.parametrize("night", [True, False])
def test_only_a_nightly_report_speaks_of_the_night(tmp_path: Path, night: bool) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."])  # ingested by another run than the latest
    folder = write(path, tmp_path / "out", night=night)
    for name in ("report.html", "report.md"):
        assert ("quiet night" in (folder / name).read_text()) is night


def add_a_source(path: Path) -> Path:
    """Publishes a warehouse again, with a source (three records) and its two customers without words."""
    opened = open_work(path)
    ratings = [review("👍", stars=5.0, rating_only=True, source="reviews.csv"), review("", stars=4.0, rating_only=True)]
    opened.append("store.reviews", ratings)
    opened.append("store.sources", [source()])
    return publish(opened)


def test_the_report_says_how_the_reviews_were_read(tmp_path: Path) -> None:
    path = add_a_source(write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."]))
    folder = write(path, tmp_path / "out", DAY)
    page, text = ((folder / name).read_text() for name in ("report.html", "report.md"))
    for report in (html.unescape(page), text.replace("\\", "")):
        assert "How your reviews were read" in report and "encoding cp1252, delimiter ';', header in line 2" in report
        assert "3 records: 0 accepted, 0 rejected, 0 duplicates, 1 ratings without words" in report
        assert "2 of 3 (66 %); 1-5" in report and "not found" in report and "not used: Row id" in report
        assert "0123456789abcdef" not in report, "neither the name of a reviewer nor its hash is shown"
        top = report[: report.index("What hurts most")]
        assert "column When is read month first, assumed; say --dates dmy if not" in top
    assert "Fine &lt;b&gt;bread&lt;/b&gt; | butter" in page and "Fine \\<b\\>bread\\</b\\> \\| butter" in text
    assert page.index("What was left out") < page.index("How your reviews were read") < page.index("How it was made")
    assert ">1 more about how your reviews were read</a>" in page


def test_the_report_of_a_business_leaves_the_sources_out(tmp_path: Path) -> None:
    texts = [f"{'The Mill':<30}{n}" for n in range(5)]
    path = add_a_source(write_warehouse(tmp_path / "w.duckdb", texts))
    (own,) = (write(path, tmp_path / "out", DAY, per_business=True) / "businesses").iterdir()
    for name in ("report.html", "report.md"):
        assert "How your reviews were read" not in (own / name).read_text()
        assert "Look at this first" not in (own / name).read_text()


def test_the_headline_names_ratings_without_words(tmp_path: Path) -> None:
    path = add_a_source(write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."]))
    folder = write(path, tmp_path / "out", DAY)
    for name in ("report.html", "report.md"):
        text = (folder / name).read_text()
        assert "3 reviews, 2 of them stars without words, 1 October 2026" in text
        assert "1 of 1 reviews" in text, "a complaint's share is of the reviews with words"
    rows = {row["text"]: row for row in json.loads((folder / "insights.json").read_text())}
    assert rows["👍"]["rating_only"] and rows["👍"]["stars"] == 5 and rows["👍"]["reply"] is None


def test_stars_alone_are_reported(tmp_path: Path) -> None:
    page = (
        write(add_a_source(publish(open_work(tmp_path / "w.duckdb"))), tmp_path / "out", DAY) / "report.html"
    ).read_text()
    assert "There are stars only, and no words to read." in page and "<b>4.5</b>stars on average" in page


def test_the_summary_counts_ratings_only_where_there_are_some(tmp_path: Path) -> None:
    from pipeline.report import digest
    from pipeline.run import RunResult

    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."])
    result = RunResult("run-1", path, [], [], {})

    def summarised() -> tuple[int, str]:
        with contextlib.closing(open_read_only(path)) as warehouse:
            facts = digest.facts(result, gather(warehouse), None)
        return facts["rating_only"], dict(facts["table"])["reviews in"]

    assert summarised() == (0, "0: 0 accepted, 0 rejected, 0 duplicates")
    add_a_source(path)
    assert summarised() == (1, "3: 0 accepted, 0 rejected, 0 duplicates, 1 ratings without words")


def answered(path: Path) -> Path:
    """Publishes a warehouse again, whose first review has an answer that came after 36 hours."""
    opened = open_work(path)
    opened.execute(
        "UPDATE store.reviews SET reply = 'We are sorry.', replied_at = reviewed_at + INTERVAL 36 HOUR "
        "WHERE review_id = (SELECT min(review_id) FROM reviews)"
    )
    return publish(opened)


def test_a_draft_comes_with_what_a_reply_to_such_a_problem_must_and_must_not_say(tmp_path: Path) -> None:
    """As the warehouse has them: a pack's own problems are in no library."""
    known = problem()
    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour for the soup."])
    folder = write(path, tmp_path / "out", DAY)
    for name in ("report.html", "report.md"):
        text = html.unescape((folder / name).read_text()).replace("\\", "")
        assert all(known[key] in text for key in ("name", "reply_say", "reply_avoid")), name


def test_answers_of_the_owner_are_counted_and_get_no_draft(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour.", "The soup was cold."])
    assert "What was answered" not in (write(path, tmp_path / "before", DAY) / "report.html").read_text()
    folder = write(answered(path), tmp_path / "after", DAY)
    for name in ("report.html", "report.md"):
        text = (folder / name).read_text()
        assert "1 of 2 reviews have an answer of the owner; of the 2 negative ones 1 (50 %; 9.5 to 91 %)" in text
        assert "Half of the answers came within 1.5 days." in text
    rows = json.loads((folder / "insights.json").read_text())
    assert {(row["owner_reply"], row["reply"] is None) for row in rows} == {("We are sorry.", True), (None, False)}


def split(path: Path, happy: str) -> Path:
    """Publishes a warehouse again, whose reviews come from two countries; in `happy` all of them are positive."""
    opened = open_work(path)
    opened.execute(
        "UPDATE store.reviews SET attributes = MAP {'Country': CASE WHEN text < 'b' THEN 'A|A' ELSE 'BB' END}"
    )
    opened.execute(
        "UPDATE store.sentiment SET label = 'positive' WHERE review_id IN "
        "(SELECT review_id FROM reviews WHERE attributes['Country'] = $happy)",
        {"happy": happy},
    )
    return publish(opened)


def test_attributes_are_shown_where_they_certainly_make_a_difference(tmp_path: Path) -> None:
    texts = [f"{letter} {n}: we waited." for letter in "ab" for n in range(12)]
    alike = write(split(write_warehouse(tmp_path / "a.duckdb", texts), "neither"), tmp_path / "a", DAY)
    differ = write(split(write_warehouse(tmp_path / "d.duckdb", texts), "BB"), tmp_path / "d", DAY)
    for name, heading, row in (
        ("report.html", "By Country", '<th scope="row" dir="auto">A|A</th><td class="n">12</td>'),
        ("report.md", "## By Country", "| A\\|A | 12 |"),
    ):
        assert heading not in (alike / name).read_text()
        assert heading in (differ / name).read_text() and row in (differ / name).read_text()


def test_many_attributes_make_no_difference_by_chance() -> None:
    def row(key: str, value: str, negative: int) -> dict[str, Any]:
        return {"key": key, "value": value, "judged": 40, "negative_share": negative / 40}

    one = [row("Country", "DE", 6), row("Country", "FR", 21)]
    assert [segment["key"] for segment in strongest(one)] == ["Country"]
    many = [row(f"key {n}", value, 10) for n in range(30) for value in ("x", "y")]
    assert strongest([*one, *many]) == [], "of so many values some differ as much by chance"
    strong = [row(f"strong {n}", value, share) for n in range(5) for value, share in (("x", 0), ("y", 30 + n))]
    assert [segment["key"] for segment in strongest([*many, *strong])] == ["strong 4", "strong 3", "strong 2"]


def test_a_segment_chooses_reviews(tmp_path: Path) -> None:
    path = split(write_warehouse(tmp_path / "w.duckdb", ["a: we waited.", "b: cold soup."]), "neither")
    folder = write(path, tmp_path / "out", DAY, scope=Scope(segment=("country=bb",)))
    page = (folder / "report.html").read_text()
    assert "Only country=bb." in page and "b: cold soup." in page and "a: we waited." not in page
    for segment, says in (
        ("Contry=BB", "no review has the attribute Contry. Did you mean Country? Known: Country."),
        ("Country=CC", "no review has this value. Known: "),
    ):
        with pytest.raises(InputError, match=re.escape(says)):
            write(path, tmp_path / "none", DAY, scope=Scope(segment=(segment,)))


def test_a_bench_run_is_not_the_latest_run(tmp_path: Path) -> None:
    opened = open_work(write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."]))
    opened.append("runs", [ledger.row("run-2", "minilm", NOW + timedelta(days=1), kind="finetune", status="done")])
    assert gather(opened)["latest"]["run_id"] == "run-1"
    opened.close()


def test_hostile_strings_do_not_break_the_page(tmp_path: Path, shared_data: Path) -> None:
    strings = json.loads((shared_data / "strings" / "naughty_strings.json").read_text())
    texts = [text for text in dict.fromkeys(strings) if text.strip() and text < "\ud800"][:400]
    plain = write(write_warehouse(tmp_path / "p.duckdb", ["Waited."]), tmp_path / "p", DAY)
    folder = write(write_warehouse(tmp_path / "w.duckdb", texts), tmp_path / "out", DAY)
    page = Page((folder / "report.html").read_text())
    assert set(page.tags) <= set(Page((plain / "report.html").read_text()).tags) | {
        "ul",
        "li",
        "polygon",
        "bdi",
        "details",
        "summary",
        "svg",
    }
    assert_harmless(page)
    assert {quote.strip() for quote in page.quotes} <= {text.strip() for text in texts}
    openpyxl.load_workbook(folder / "insights.xlsx")


def test_a_choice_that_fits_no_review_is_an_error(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["The soup was cold.", "The bread was hard."])
    with contextlib.closing(open_read_only(path)) as warehouse:
        with pytest.raises(InputError, match=r"--business The soup was cold: no review has it. Did you mean The soup"):
            build.write(warehouse, tmp_path / "out", scope=Scope(business="The soup was cold"))
        with pytest.raises(InputError, match="--language xx: no review has it"):
            build.write(warehouse, tmp_path / "out", scope=Scope(language="xx"))
    assert not (tmp_path / "out").exists(), "the report of today stays what it was"


def test_what_a_killed_report_left_is_gone_and_what_it_had_set_aside_is_back(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    for name in (".report-half", ".old-night/2026-10-30", ".old-day/2026-10-31", "2026-10-31"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "report.md").write_text(name)
    build.write(warehouse, tmp_path, date(2026, 11, 1))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2026-10-30", "2026-10-31", "2026-11-01"]
    assert (tmp_path / "2026-10-30" / "report.md").read_text() == ".old-night/2026-10-30"
    assert (tmp_path / "2026-10-31" / "report.md").read_text() == "2026-10-31"
