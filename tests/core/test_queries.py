"""The cookbook: every named query on a synthetic warehouse. Renew with: python -m tests.core.test_queries > docs/cookbook.md"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import cli
from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.outside import read
from pipeline.core.warehouse import Warehouse, open_memory, open_read_only, open_work, publish
from tests.conftest import ROOT
from tests.factory import NOW, problem, review, source

EXAMPLES: dict[str, dict[str, Any]] = {
    "search": {"words": '"cold soup" waiter'},
    "review": {"id": "r"},
    "quotes": {"theme": "waiting_time"},
}
LAST_DAY = datetime(2026, 10, 31)
RATINGS = 10  # without words


def decision() -> dict[str, Any]:
    """A row of `models`: a challenger that was not promoted."""
    gain = {
        "rows": "all",
        "n": 120,
        "champion": 0.8,
        "challenger": 0.81,
        "gain": 0.01,
        "ci_low": -0.02,
        "ci_high": 0.04,
    }
    counts = {"seen": 120, "labels": 120, "new_labels": 120, "corrections": 0}
    names = {"decision": "kept", "model": "c0ffee", "champion": "", "reader": "reader:1", "why": "120 new labels"}
    return {"run_id": "run-1", **names, **counts, "gains": [gain]}


def fill(opened: Warehouse) -> Warehouse:
    """120 reviews of two businesses over 60 days; in the last 28, complaints about waiting_time are four times as frequent.
    Most of those come from Denmark, and the owner answered the older ones of one business after two days. Ten further
    customers gave one star without words.
    """
    opened.append(
        "runs",
        [
            {
                "run_id": "run-1",
                "started_at": NOW,
                "finished_at": NOW,
                "profile": "embedded",
                "version": "0.1.0",
                "status": "done",
                "environment": "{}",
                "stages": "{}",
            }
        ],
    )
    stages = ("sentiment", "emotions", "themes", "discover", "feedback", "distill", "generate", "score")
    opened.append("models", [decision()])
    opened.append("store.current", [{"stage": stage, "fingerprint": "f"} for stage in stages])
    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("reviews", "sentiment", "emotions", "themes", "discover", "feedback")
    }
    for number in range(120):
        day = LAST_DAY - timedelta(days=number // 2)
        recent = number // 2 < 28
        waits = number % (3 if recent else 12) == 0
        likes = not waits and number % 2 == 0
        text = f"Visit {number}: " + (
            "we waited for an hour and the waiter shrugged." if waits else "the cold soup was nice."
        )
        row = review(
            text,
            review_id=f"r{number:03}",
            business="Mill" if number % 2 else "Harbour",
            product="dinner",
            run_id="run-1",
            reviewed_at=day,
            stars=2.0 if waits else 4.0,
            language="en" if number % 10 else "de",
            attributes={"Country": "DK" if waits and number % 5 else "se", "Seat": f"{number}"},
        )
        if waits and number // 2 > 7 and number % 2:
            row |= {"reply": "Sorry.", "replied_at": day + timedelta(days=2)}
        key = {"review_id": row["review_id"], "fingerprint": "f", "run_id": "run-1"}
        tables["reviews"].append(row)
        tables["sentiment"].append(
            {
                **key,
                "label": "negative" if waits else "positive",
                "negative": 0.9 if waits else 0.1,
                "neutral": 0.0,
                "positive": 0.1 if waits else 0.9,
                "model": "m",
            }
        )
        tables["emotions"].append(
            {
                **key,
                "labels": ["anger", "annoyance"] if waits else ["joy"],
                "probabilities": [("anger", 0.6 if waits else 0.0)],
                "model": "m",
            }
        )
        if waits or likes:
            tables["themes"].append(
                {
                    **key,
                    "theme": "waiting_time" if waits else "food_quality",
                    "sentiment": "negative" if waits else "positive",
                    "evidence": text.partition(": ")[2],
                    "score": -0.8 if waits else 0.8,
                    "problem": "kitchen_slow" if waits else None,
                }
            )
        if waits:
            tables["discover"].append(
                {
                    **key,
                    "place": text.index("the waiter"),
                    "evidence": "the waiter shrugged",
                    "theme": "d1",
                    "closeness": 0.8,
                }
            )
            tables["feedback"].append(
                {
                    **key,
                    "model": "m",
                    "role": "teacher",
                    "text": "Advice.",
                    "suggestions": ["Act."],
                    "masked": [("name", 1)],
                }
            )
    for number in range(RATINGS):
        tables["reviews"].append(
            review(
                "👍" * (number % 2),
                review_id=f"s{number}",
                business="Mill",
                product="dinner",
                run_id="run-1",
                reviewed_at=LAST_DAY,
                stars=1.0,
                language=None,
                rating_only=True,
            )
        )
    opened.append("store.sources", [source()])
    opened.append("store.problems", [problem(), problem(problem="rare", name="Never seen", theme="noise")])
    opened.append(
        "store.discovered",
        [
            {
                "theme": "d1",
                "name": "Shrugged",
                "words": ["shrugged"],
                "centroid": b"",
                "fingerprint": "f",
                "run_id": "run-1",
            }
        ],
    )
    opened.append(
        "store.taxonomy", [{"theme": "waiting_time", "label": "Waiting time", "fingerprint": "f", "run_id": "run-1"}]
    )
    spent = {"requests": 60, "prompt_characters": 60000, "prompt_tokens": 15000, "completion_tokens": 6000}
    for model in ("m", "judge"):
        opened.append("store.usage", [{"run_id": "run-1", "stage": "feedback", "model": model, "cost": 0.02, **spent}])
    for name, rows in tables.items():
        opened.append(f"store.{name}", rows)
    return opened


@pytest.fixture(scope="module")
def filled() -> Iterator[Warehouse]:
    opened = fill(open_memory())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(fill(open_work(tmp_path_factory.mktemp("queries") / "w.duckdb")))


def run(warehouse: Warehouse, name: str, **given: Any) -> list[dict[str, Any]]:
    query = queries.load(name)
    return warehouse.query(query.sql, query.bind(given))


def cookbook(warehouse: Warehouse) -> str:
    lines = [
        "# Questions and the queries that answer them",
        "",
        "Generated from [warehouse/queries](../warehouse/queries) by `python -m tests.core.test_queries > docs/cookbook.md`; tests run every",
        "query. Read-only and safe: nothing outside the warehouse file can be read, written or reached.",
        "",
        "```",
        'review-insights sql @top_pain_points --business "The Old Mill" --since 2026-10-01',
        "review-insights sql @weeks --segment country=DE          # an attribute of the reviews; repeatable",
        "review-insights sql @needs_answer --format csv",
        "review-insights sql @actions --out actions.xlsx          # or .csv, .json, .parquet",
        "review-insights sql --list",
        'make sql Q=@week_over_week ARGS="--format json"',
        "review-insights sql \"SELECT * FROM pain_points('business', NULL, NULL, NULL, $since, NULL)\" --since 2026-10-01",
        "```",
        "",
        "An option that is left out means all. `--until` is the last day that counts. In SQL of your own the same options fill",
        "`$business`, `$since` and so on (`$segment`, a list, where a macro takes `of_segment`). Ratings without words count in",
        "volume and stars, never in shares of what words say. Shares carry Wilson's 95 % interval, changes of shares Newcombe's;",
        "`weight` says what a number is worth: a *hint* (fewer than 4 mentions), *some*, a *pattern* (10 or more). In CSV and XLSX,",
        "cells that a spreadsheet would run as a formula begin with an apostrophe.",
        "",
        '`@search` looks for words and "phrases" in all reviews, without regard to case and accents, and ranks reviews by how many of',
        "the words they hold and how rare those are. DuckDB's full-text extension is not used: the reader is locked down and loads",
        "none. It matches parts of words too (`wait` finds `waiting`), which also serves languages without blanks between words; it",
        "reads every text, about 0.1 s per 10,000 reviews.",
        "",
    ]
    for name in queries.names():
        query = queries.load(name)
        columns = list(read(warehouse, query.sql, query.bind(EXAMPLES.get(name, {}))).names)
        lines += [f"## `@{name}`", "", query.question + (f" {query.notes}" if query.notes else ""), ""]
        takes = ", ".join(f"`--{parameter}`" for parameter in query.parameters if parameter != "groups")
        lines += [f"Takes {takes}." if takes else "Takes no option.", ""]
        lines += ["Columns: " + ", ".join(f"`{column}`" for column in columns) + ".", ""]
    return "\n".join(lines)


def test_the_cookbook_shows_every_query_with_its_columns(filled: Warehouse) -> None:
    """Renew with: python -m tests.core.test_queries > docs/cookbook.md"""
    assert cookbook(filled) == (ROOT / "docs" / "cookbook.md").read_text()


@pytest.mark.parametrize("name", queries.names())
def test_every_query_states_its_question_and_runs(filled: Warehouse, name: str) -> None:
    query = queries.load(name)
    assert query.question[0].isupper() and query.question.count("?") == 1 and "Grain: " in query.notes
    rows = run(filled, name, **EXAMPLES.get(name, {}))
    none_here = (
        "removed_texts",
        "getting_better",
        "rejects_by_reason",
        "errors",
        "stars_against_words",
        "subjects",
        "scores",
        "student_verdict",
        "classifier_quality",
        "quality_signals",
        "model_quality",
        "model_quality_by_run",
    )
    assert bool(rows) != (name in none_here)
    if "limit" in query.parameters and rows:
        assert len(run(filled, name, **EXAMPLES.get(name, {}), limit=1)) == 1
    if "business" in query.parameters:
        assert run(filled, name, **EXAMPLES.get(name, {}), business="Mill") != rows or name in none_here


def test_pain_points_count_compare_and_weigh(filled: Warehouse) -> None:
    (pain,) = run(filled, "top_pain_points")
    waits = [number for number in range(120) if number % (3 if number // 2 < 28 else 12) == 0]
    recent = [number for number in waits if number // 2 < 28]
    previous = [number for number in waits if 28 <= number // 2 < 56]
    assert (pain["mentions"], pain["reviews"]) == (len(waits), 120)
    assert (pain["recent_mentions"], pain["recent_reviews"]) == (len(recent), 56)
    assert (pain["previous_mentions"], pain["previous_reviews"]) == (len(previous), 56)
    assert pain["severity"] == pytest.approx((0.8 + 0.6) / 2) and pain["weight"] == "pattern"
    assert pain["stars_effect"] == pytest.approx(-2) and pain["stars_with_n"] == len(waits)
    assert pain["trend"] == "getting worse" and pain["change_low"] > 0 and pain["emerging"]
    assert run(filled, "getting_worse")[0]["theme"] == "waiting_time"
    (some,) = run(filled, "top_pain_points", since=LAST_DAY.date(), business="Harbour")
    assert (some["mentions"], some["weight"], some["trend"]) == (1, "hint", "too few to tell")
    assert run(filled, "top_pain_points", until="2020-01-01") == []


def test_ratings_without_words_count_as_stars_and_volume_alone(filled: Warehouse) -> None:
    (headline,) = run(filled, "headline")
    assert (headline["reviews"], headline["rating_only"], headline["judged"]) == (130, 10, 120)
    assert headline["starred"] == 130 and sum(row["n"] for row in run(filled, "stars")) == 130
    for name in ("weeks", "months", "weekdays", "businesses", "products"):
        assert sum(row["reviews"] for row in run(filled, name)) == 130, name
    for name in ("sentiments", "languages", "word_counts", "emotion_counts"):
        assert sum(row["n"] for row in run(filled, name)) == 120, name
    for name, whole in (
        ("praise", "reviews"),
        ("top_pain_points", "reviews"),
        ("discovered_themes", "of_reviews"),
        ("actions", "of_reviews"),
        ("emotion_groups", "reviews"),
    ):
        assert {row[whole] for row in run(filled, name)} == {120}, name
    changed = {row["what"]: row for row in run(filled, "what_changed")}
    assert changed["reviews"]["new"] == 130 and changed["reviews"]["share_new"] == 1
    assert changed["negative"]["share_new"] == changed["negative"]["new"] / 120
    for name in ("needs_answer", "theme_evidence", "quotes", "stars_against_words"):
        assert not {row["review_id"] for row in run(filled, name)} & {f"s{number}" for number in range(RATINGS)}, name


def test_segments_are_chosen_and_compared_in_any_case(filled: Warehouse) -> None:
    denmark, sweden = run(filled, "segments")
    assert (denmark["key"], denmark["value"], denmark["negative_share"]) == ("Country", "DK", 1.0)
    assert denmark["top_complaint"] == "waiting_time" and sweden["reviews"] + denmark["reviews"] == 120
    assert run(filled, "headline", segment=["country=SE"])[0]["reviews"] == sweden["reviews"]
    (pain,) = run(filled, "top_pain_points", segment=["COUNTRY=dk"])
    assert pain["mentions"] == pain["reviews"] == denmark["reviews"]
    assert run(filled, "headline", segment=["country=se", "seat=1"])[0]["reviews"] == 1
    assert run(filled, "headline", segment=["country=se", "seat=none"])[0]["reviews"] == 0


def test_answers_of_the_owner(filled: Warehouse) -> None:
    (replies,) = run(filled, "owner_replies")
    assert replies["reviews"] == 130 and replies["days"] == 2 and 0 < replies["replied"] < replies["negative"]
    assert replies["negative_replied"] == replies["replied"] and 0 < replies["share_low"] < replies["share"]
    assert run(filled, "owner_replies", business="Harbour") == [], "who does not answer has nothing to show"


def test_an_emerging_complaint_is_called_one() -> None:
    opened = fill(open_memory())
    opened.execute(
        "UPDATE store.themes SET theme = 'parking' WHERE review_id IN ('r000', 'r003', 'r006', 'r009', 'r012')"
    )
    worse = {row["theme"]: row for row in run(opened, "getting_worse", since=LAST_DAY.date() - timedelta(days=13))}
    assert worse["parking"]["emerging"] and worse["parking"]["recent_mentions"] == 5
    assert not worse.get("waiting_time", {"emerging": False})["emerging"]
    opened.close()


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (3, 10, 0.1078, 0.6032), (10, 10, 0.7225, 1.0), (15, 148, 0.0624, 0.1605)],
)
def test_wilson(filled: Warehouse, k: int, n: int, low: float, high: float) -> None:
    row = filled.query("SELECT wilson_low($k, $n) AS low, wilson_high($k, $n) AS high", {"k": k, "n": n})[0]
    assert row["low"] == pytest.approx(low, abs=1e-4) and row["high"] == pytest.approx(high, abs=1e-4)


def test_newcombe_gives_the_figures_of_its_paper(filled: Warehouse) -> None:
    """Newcombe 1998, table II, method 10, first three cases."""
    for k1, n1, k2, n2, low, high in (
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
    ):
        row = filled.query(
            "SELECT newcombe_low($a, $b, $c, $d) AS low, newcombe_high($a, $b, $c, $d) AS high",
            {"a": k1, "b": n1, "c": k2, "d": n2},
        )[0]
        assert (row["low"], row["high"]) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_actions_are_the_remedies_of_what_is_complained_of(filled: Warehouse) -> None:
    (best,) = run(filled, "actions", limit=100)
    waits = run(filled, "top_pain_points")[0]["mentions"]
    assert best["action"] == "Seat two tables every ten minutes. Put a timer on the pass."
    assert (best["problem"], best["name"], best["who"]) == ("kitchen_slow", "Long wait for the food", "kitchen lead")
    assert best["reviews"] == waits == len(set(best["review_ids"]))
    assert best["of_reviews"] == 120 and best["grade"] == 3 and best["stars_effect"] == pytest.approx(-2.0)
    assert best["pain"] == pytest.approx(best["reviews"] * best["severity"] * 1.5)
    assert best["theme"] == "waiting_time" and len(best["quotes"]) == 3
    assert {quote["business"] for quote in best["quotes"]} == {"Mill", "Harbour"}
    for quote in best["quotes"]:
        assert quote["evidence"] in filled.value(
            "SELECT text FROM reviews WHERE review_id = $id", {"id": quote["review_id"]}
        )


def test_a_problem_under_two_themes_of_a_review_counts_once() -> None:
    opened = fill(open_memory())
    (once,) = run(opened, "actions")
    opened.execute(
        "INSERT INTO store.themes SELECT * REPLACE ('service' AS theme, 'the waiter shrugged' AS evidence)"
        " FROM store.themes WHERE problem IS NOT NULL"
    )
    (twice,) = run(opened, "actions")
    assert twice["reviews"] == once["reviews"] and twice["review_ids"] == once["review_ids"]
    opened.close()


def test_needs_answer_holds_the_last_week_only(filled: Warehouse) -> None:
    rows = run(filled, "needs_answer")
    assert rows and all(
        row["day"] >= LAST_DAY.date() - timedelta(days=6) and row["waiting"] == len(rows) for row in rows
    )
    assert rows[0]["urgency"] == pytest.approx((0.7 + 0.8 + 0.75) / 3)


def test_search_ranks_rare_words_first_and_folds_accents(filled: Warehouse) -> None:
    rows = run(filled, "search", words='WÁITER "Visit 3:"', limit=3)
    assert rows[0]["review_id"] == "r003" and rows[0]["found"] == ["visit 3:", "waiter"]
    assert rows[1]["found"] == ["waiter"] and "waiter" in rows[1]["around"]
    assert run(filled, "search", words="%") == [] and run(filled, "search") == []


def test_emotion_groups_count_a_review_once(filled: Warehouse) -> None:
    mine = json.dumps([{"scheme": "mine", "name": "cross", "emotion": "annoyance"}])
    rows = {(row["scheme"], row["name"]): row["n"] for row in run(filled, "emotion_groups", groups=mine)}
    waits = run(filled, "top_pain_points")[0]["mentions"]
    assert rows[("ekman", "anger")] == rows[("sentiment", "negative")] == rows[("mine", "cross")] == waits
    assert rows[("ekman", "joy")] == 120 - waits


def test_an_unknown_name_and_a_strange_option_name_the_next_step() -> None:
    with pytest.raises(InputError, match="Did you mean @top_pain_points"):
        queries.load("top_pain_point")
    with pytest.raises(InputError, match="@rejects_by_reason does not take --business; it takes --limit"):
        queries.load("rejects_by_reason").bind({"business": "x"})
    for name in ("../schema", "", "Top"):
        with pytest.raises(InputError, match="There is no query"):
            queries.load(name)


def test_the_command_writes_every_format(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def sql(*arguments: str) -> str:
        assert cli.main(["sql", "--warehouse", str(path), *arguments]) == 0
        return capsys.readouterr().out

    assert json.loads(sql("@top_pain_points", "--format", "json"))[0]["theme"] == "waiting_time"
    (row,) = csv.DictReader(io.StringIO(sql("@top_pain_points", "--format", "csv", "--business", "Mill")))
    assert row["theme"] == "waiting_time" and int(row["reviews"]) == 60
    assert "waiting_time" in sql("@top_pain_points") and "week" in sql("@weeks", "--limit", "2")
    assert "@top_pain_points" in sql("--list")
    for ending in ("csv", "json", "parquet", "xlsx"):
        sql("@actions", "--out", str(tmp_path / f"a.{ending}"))
    assert pq.read_table(tmp_path / "a.parquet").column("reviews").to_pylist()[0] > 10
    assert json.loads(sql("@headline", "--segment", "country = dk", "--format", "json"))[0]["stars"] == 2
    assert "Mill" in sql("SELECT DISTINCT business FROM reviews WHERE business = $business", "--business", "Mill")
    assert sql("SELECT '=1+1' AS \"-a\"", "--format", "csv") == "'-a\n'=1+1\n"


def test_a_report_without_reviews_says_so(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def report(*arguments: str) -> str:
        assert cli.main(["report", "--warehouse", str(path), "--out", str(tmp_path), *arguments]) == 0
        return capsys.readouterr().err

    assert report("--segment", "country=dk") == ""
    assert "no review fits since 2030-01-01, segment country=dk" in report(
        "--since", "2030-01-01", "--segment", "country=dk"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["@nothing"], "There is no query"),
        (["@weeks", "--words", "x"], "does not take --words"),
        (["SELECT 1", "--business", "x"], "no \\$business"),
        (["@weeks", "--limit", "x"], "number of rows"),
        (["@weeks", "--format", "parquet"], "add --out"),
        (["@weeks", "--out", "x.doc"], "ends in .csv"),
        (["@weeks", "--out", "missing/x.csv"], "cannot be written"),
        (["@weeks", "--since", "yesterday"], "--help"),
        (["@weeks", "--segment", "country"], "KEY=VALUE"),
        (
            ["@weeks", "--segment", "county=DK"],
            "no review has the attribute county. Did you mean Country? Known: Country, Seat.",
        ),
        (["@weeks", "--segment", "country=no"], "no review has this value. Known: se, DK."),
        (["@weeks", "--segment", "seat=x"], ", ..."),
        (["@weeks", "--segment", "Country=DK", "--segment", "country=SE"], "give it one value"),
        (["@runs", "--segment", "country=dk"], "does not take --segment"),
        ([], "--list"),
    ],
)
def test_bad_usage(
    path: Path,
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sql", "--warehouse", str(path), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and says.replace("\\", "") in error
    assert not list(tmp_path.iterdir())


def test_a_row_that_cannot_be_computed_is_an_input_error(path: Path) -> None:
    with pytest.raises(InputError, match="SQL: "):
        list(read(open_read_only(path), "SELECT CAST(text AS INTEGER) FROM reviews").rows)


if __name__ == "__main__":
    print(cookbook(fill(open_memory())), end="")
