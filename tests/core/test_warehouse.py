from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core import connection
from pipeline.core.assets import WAREHOUSE
from pipeline.core.errors import AuditFailed, InputError
from pipeline.core.outside import read
from pipeline.core.warehouse import (
    Warehouse,
    audit,
    migrate,
    open_memory,
    open_read_only,
    open_work,
    publish,
    sql_file,
    work_path,
)
from tests.factory import review, source


def published(path: Path) -> Path:
    opened = open_work(path)
    opened.append("store.reviews", [review("Fine soup.")])
    return publish(opened)


def schema(warehouse: Warehouse) -> str:
    """Every table and view with its columns, as `warehouse/schema.sql` records it."""
    lines = []
    for table in warehouse.query(
        "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY ALL"
    ):
        kind = "VIEW" if table["table_type"] == "VIEW" else "TABLE"
        lines.append(f"{kind} {table['table_schema']}.{table['table_name']}")
        columns = warehouse.query(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
            [table["table_schema"], table["table_name"]],
        )
        lines += [f"    {column['column_name']} {column['data_type']}" for column in columns]
    return "\n".join(lines) + "\n"


def test_the_whole_schema(warehouse: Warehouse) -> None:
    """Renew with: python -m tests.core.test_warehouse > warehouse/schema.sql"""
    assert schema(warehouse) == (WAREHOUSE / "schema.sql").read_text()


def test_contract_columns_are_there(warehouse: Warehouse) -> None:
    contract = {
        "reviews": "review_id source source_row text language stars reviewed_at business product",
        "rejects": "source source_row reason raw",
        "sentiment": "review_id label negative neutral positive",
        "emotions": "review_id labels probabilities",
        "themes": "review_id theme evidence sentiment",
        "feedback": "review_id model role text suggestions raw_output error",
        "scores": "review_id role bleurt bertscore_f1 meteor grounding",
        "metrics": "run_id role metric n mean ci_low ci_high median std min p25 p75 max",
        "runs": "run_id started_at finished_at profile git_sha status",
        "fingerprint": "fingerprint stage spec_json parents",
    }
    for table, columns in contract.items():
        assert set(columns.split()) <= set(warehouse.columns(f"SELECT * FROM {table}")), table
    assert warehouse.columns("SELECT * FROM insights") == [
        "review_id",
        "source",
        "business",
        "product",
        "reviewed_at",
        "language",
        "stars",
        "text",
        "sentiment",
        "sentiment_score",
        "emotions",
        "themes",
        "feedback",
        "suggestions",
        "feedback_role",
        "feedback_model",
        "rating_only",
        "owner_reply",
        "replied_at",
        "attributes",
        "text_sentiment",
    ]


def test_every_table_and_view_is_documented(warehouse: Warehouse) -> None:
    readme = (WAREHOUSE / "README.md").read_text()
    names = {line.split(".")[1] for line in schema(warehouse).splitlines() if re.match(r"(TABLE|VIEW) ", line)}
    assert {name for name in names if f"`{name}`" not in readme} <= {"migrations"}


def test_migrations_run_once(warehouse: Warehouse) -> None:
    before = warehouse.query("SELECT * FROM migrations")
    migrate(warehouse)
    assert warehouse.query("SELECT * FROM migrations") == before


def test_a_new_stage_needs_its_query_and_its_table_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(WAREHOUSE, tmp_path / "warehouse")
    (folder / "stages" / "tone.sql").write_text("-- Reviews without a tone.\nSELECT review_id FROM reviews")
    (folder / "migrations" / "9999_tone.sql").write_text(
        "CREATE TABLE store.tone (review_id VARCHAR, fingerprint VARCHAR, run_id VARCHAR, tone VARCHAR, error VARCHAR)"
    )
    monkeypatch.setattr("pipeline.core.warehouse.WAREHOUSE", folder)
    warehouse = open_memory()
    warehouse.append("store.reviews", [review("Fine soup.", review_id="a")])
    warehouse.execute("INSERT INTO store.current VALUES ('tone', 'new'), ('feedback', 'f')")
    row = {"review_id": "a", "run_id": "r"}
    warehouse.append("store.tone", [{**row, "fingerprint": "old"}, {**row, "fingerprint": "new", "error": "mute"}])
    warehouse.append("store.feedback", [{**row, "fingerprint": "f", "model": "m", "role": "teacher", "error": "empty"}])
    assert warehouse.query("SELECT fingerprint, error FROM tone") == [{"fingerprint": "new", "error": "mute"}]
    assert warehouse.query(sql_file("queries", "errors.sql"), {"limit": None}) == [
        {"stage": "feedback (teacher)", "error": "empty", "n": 1},
        {"stage": "tone", "error": "mute", "n": 1},
    ]


def test_a_warehouse_from_the_future_is_refused(warehouse: Warehouse) -> None:
    warehouse.execute("INSERT INTO migrations (name) VALUES ('9999_later')")
    with pytest.raises(InputError, match="newer version"):
        migrate(warehouse)


def test_append_is_all_or_nothing_and_strict(warehouse: Warehouse) -> None:
    good = review("Good.")
    with pytest.raises(duckdb.ConstraintException):
        warehouse.append("store.reviews", [good, {**review("Bad."), "stars": 9.0}])
    assert warehouse.value("SELECT count(*) FROM reviews") == 0
    with pytest.raises(KeyError, match="colour"):
        warehouse.append("store.reviews", [{**good, "colour": "red"}])
    assert warehouse.append("store.reviews", [good]) == 1


def test_append_keeps_maps_lists_and_nulls(warehouse: Warehouse) -> None:
    row = {"review_id": "a", "fingerprint": "f", "run_id": "r", "model": "m"}
    warehouse.append(
        "store.emotions",
        [
            {**row, "labels": ["joy", "love"], "probabilities": [("joy", 0.5), ("love", 0.25)]},
            {**row, "review_id": "b", "labels": None, "probabilities": None},
        ],
    )
    found = warehouse.query("SELECT labels, probabilities FROM store.emotions ORDER BY review_id")
    assert found[0] == {"labels": ["joy", "love"], "probabilities": {"joy": 0.5, "love": 0.25}}
    assert found[1] == {"labels": None, "probabilities": None}


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": st.text(),
    "INTEGER": st.integers(-(2**31), 2**31 - 1),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "FLOAT": st.floats(width=32, allow_nan=False),
    "DOUBLE": st.floats(allow_nan=False),
    "BOOLEAN": st.booleans(),
    "BLOB": st.binary(),
}
Column = tuple[str, st.SearchStrategy[Any]]  # the name of a type, and its values


def lists(inner: Column) -> Column:
    return f"{inner[0]}[]", st.lists(st.none() | inner[1], max_size=3)


def maps(inner: Column) -> Column:
    return f"MAP(VARCHAR, {inner[0]})", st.dictionaries(st.text(), st.none() | inner[1], max_size=3)


def structs(inner: list[Column]) -> Column:
    names = ["start", "end", "theme", "Vector"][: len(inner)]  # the first two are keywords
    fields = ", ".join(f'"{name}" {kind}' for name, (kind, _) in zip(names, inner, strict=True))
    values = {name: st.none() | value for name, (_, value) in zip(names, inner, strict=True)}
    return f"STRUCT({fields})", st.fixed_dictionaries(values)


COLUMNS = st.recursive(
    st.sampled_from(sorted(SCALARS.items(), key=lambda item: item[0])),
    lambda inner: inner.map(lists) | inner.map(maps) | st.lists(inner, min_size=1, max_size=4).map(structs),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.data())
def test_append_keeps_whatever_is_nested(data: st.DataObject) -> None:
    kind, value = data.draw(COLUMNS)
    values = data.draw(st.lists(st.none() | value, min_size=1, max_size=4))
    opened = Warehouse(duckdb.connect(":memory:"))
    opened.execute(f"CREATE TABLE t (place INTEGER, value {kind})")
    opened.append("t", [{"place": place, "value": value} for place, value in enumerate(values)])
    assert [row["value"] for row in opened.query("SELECT value FROM t ORDER BY place")] == values
    opened.close()


def test_transaction_rolls_back(warehouse: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), warehouse.transaction():
        warehouse.append("store.reviews", [review("Gone.")])
        raise ZeroDivisionError
    assert warehouse.value("SELECT count(*) FROM reviews") == 0


def test_publish_replaces_in_one_step_and_readers_keep_reading(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    published(path)
    reader = open_read_only(path)
    writer = open_work(path)
    writer.append("store.reviews", [review("Second.")])
    assert reader.value("SELECT count(*) FROM reviews") == 1
    publish(writer)
    assert reader.value("SELECT count(*) FROM reviews") == 1, "an open reader keeps its version"
    reader.close()
    assert open_read_only(path).value("SELECT count(*) FROM reviews") == 2
    assert not work_path(path).exists()


def test_an_unpublished_work_file_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    first = open_work(path)
    first.append("store.reviews", [review("Kept.")])
    first.close()
    assert not path.exists()
    assert open_work(path).value("SELECT count(*) FROM reviews") == 1


@pytest.mark.parametrize("open_it", [open_work, open_read_only])
def test_a_file_that_another_program_holds_is_named_with_it(
    tmp_path: Path, open_it: Callable[[Path], Warehouse]
) -> None:
    path = published(tmp_path / "w.duckdb")
    script = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
            with pytest.raises(InputError, match=rf"is open in python\S* \(process {holder.pid}\)\. Close it there"):
                open_it(path)
        finally:
            holder.kill()
    assert not work_path(path).exists()
    open_it(path).close()


@pytest.mark.parametrize(
    ("message", "holder"),
    [
        (
            "Conflicting lock is held in /Applications/DBeaver.app/dbeaver (PID 7) by user ann.",
            r"dbeaver \(process 7\)",
        ),
        ("Conflicting lock is held in PID 0.", "another program"),
        ("Resource temporarily unavailable", "another program"),
    ],
)
def test_the_holder_is_named_as_far_as_duckdb_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, holder: str
) -> None:
    def connect(*options: object, **more: object) -> None:
        raise duckdb.IOException(f'IO Error: Could not set lock on file "w.duckdb": {message}')

    path = published(tmp_path / "w.duckdb")
    monkeypatch.setattr(duckdb, "connect", connect)
    with pytest.raises(InputError, match=f"w.duckdb is open in {holder}"):
        open_read_only(path)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_file_that_is_no_warehouse(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.duckdb"
    path.write_bytes(content)
    if content:
        with pytest.raises(InputError, match="not a DuckDB warehouse"):
            open_work(path)
        assert path.read_bytes() == content and not work_path(path).exists()


def test_missing_warehouse(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="review-insights run"):
        open_read_only(tmp_path / "none.duckdb")


def test_audits_pass_on_an_empty_warehouse_and_catch_planted_faults(warehouse: Warehouse) -> None:
    audit(warehouse)
    warehouse.append("store.reviews", [review("Cold soup.", review_id="a")])
    row = {"review_id": "a", "fingerprint": "f", "run_id": "r"}
    warehouse.append("store.themes", [{**row, "theme": "food", "evidence": "warm soup"}])
    warehouse.execute("INSERT INTO store.current VALUES ('themes', 'f'), ('sentiment', 'f')")
    warehouse.append(
        "store.sentiment", [{**row, "label": "positive", "negative": 0.9, "neutral": 0, "positive": 0.1, "model": "m"}]
    )
    warehouse.append("store.sources", [source(source="test.csv", rows=3)])
    with pytest.raises(AuditFailed) as caught:
        audit(warehouse)
    for name in ("evidence_is_verbatim", "probabilities_are_probabilities", "rows_add_up"):
        assert name in str(caught.value)


def test_audit_catches_a_source_of_which_fewer_records_were_read_than_counted(warehouse: Warehouse) -> None:
    warehouse.append("store.sources", [source(source="test.csv", rows=0, counted=0)])
    audit(warehouse)
    warehouse.execute("UPDATE store.sources SET counted = 200")
    with pytest.raises(AuditFailed, match="rows_add_up"):
        audit(warehouse)


def test_audit_catches_a_review_that_is_current_twice(warehouse: Warehouse) -> None:
    warehouse.append("store.reviews", [review("Cold soup.", source=name) for name in ("a.csv", "b.csv")])
    with pytest.raises(AuditFailed, match="a_review_is_current_once"):
        audit(warehouse)


def test_audit_catches_a_test_review_that_was_trained_on(warehouse: Warehouse) -> None:
    warehouse.append("store.reviews", [review("Same words.", review_id="a"), review("same WORDS.", review_id="b")])
    row = {"fingerprint": "f", "run_id": "r", "round": 1, "prompt": "p", "completion": "c"}
    warehouse.append(
        "store.training_set",
        [{**row, "review_id": "a", "split": "test"}, {**row, "review_id": "b", "split": "train"}],
    )
    with pytest.raises(AuditFailed, match="no_test_review_was_trained_on"):
        audit(warehouse)


HOSTILE = [
    "DROP TABLE reviews",
    "DELETE FROM reviews",
    "UPDATE reviews SET text = 'x'",
    "INSERT INTO reviews SELECT * FROM reviews",
    "CREATE TABLE t AS SELECT 1",
    "COPY reviews TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "EXPORT DATABASE '{folder}/dump'",
    "ATTACH '{folder}/other.duckdb' AS other",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "PRAGMA enable_object_cache",
    "CALL pragma_version()",
    "SELECT 1; DROP TABLE reviews",
    "EXPLAIN ANALYZE COPY reviews TO '{folder}/out.csv'",
    "WITH x AS (SELECT 1) INSERT INTO reviews SELECT * FROM reviews",
    "SELECT getenv('HOME')",
    "",
    "nonsense",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_sql_from_outside_can_only_read_the_warehouse(tmp_path: Path, sql: str) -> None:
    path = published(tmp_path / "w.duckdb")
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nsecret\n")
    before = path.read_bytes(), sorted(file.name for file in tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        list(read(open_read_only(path), sql.format(folder=tmp_path, secret=secret)).rows)
    assert "\n" not in str(caught.value)
    assert (path.read_bytes(), sorted(file.name for file in tmp_path.iterdir())) == before


def test_reading_sql_works(tmp_path: Path) -> None:
    reader = open_read_only(published(tmp_path / "w.duckdb"))
    result = read(reader, "SELECT text FROM reviews")
    assert (result.names, result.types, list(result.rows)) == (["text"], ["VARCHAR"], [("Fine soup.",)])
    for sql in (
        "DESCRIBE insights",
        "SHOW TABLES",
        "SUMMARIZE reviews",
        "WITH a AS (SELECT 1 AS b) FROM a",
        "EXPLAIN SELECT 1",
    ):
        assert list(read(reader, sql).rows)


def test_a_query_from_outside_ends_in_time_and_within_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published(tmp_path / "w.duckdb")
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"
    with pytest.raises(InputError, match=r"took too long.*--seconds"):
        list(read(open_read_only(path), endless, seconds=0.2).rows)
    monkeypatch.setitem(connection.SAFE, "memory_limit", "32MiB")
    with pytest.raises(InputError, match="of memory"):
        list(
            read(open_read_only(path), "SELECT list(range || 'xxxxxxxxxxxxxxxx') FROM range(10000000)", seconds=60).rows
        )


def test_a_time_limit_leaves_no_thread_that_could_abort_the_process(tmp_path: Path) -> None:
    before = set(threading.enumerate())  # other tests leave rows unread

    def waiting() -> bool:
        return any(thread.name == "time limit" for thread in set(threading.enumerate()) - before)

    reader = open_read_only(published(tmp_path / "w.duckdb"))
    rows = read(reader, "SELECT * FROM range(9)", seconds=60).rows
    assert waiting()
    assert len(list(rows)) == 9
    assert not waiting()
    with pytest.raises(InputError, match="SQL"):
        read(reader, "SELECT error('bad')", seconds=60)
    assert not waiting()


def test_times_with_a_zone_can_be_read(tmp_path: Path) -> None:
    ((moment,),) = read(open_read_only(published(tmp_path / "w.duckdb")), "SELECT now()").rows
    assert moment.tzinfo is not None


def test_every_sql_file_states_its_purpose() -> None:
    for file in WAREHOUSE.rglob("*.sql"):
        if file.name != "schema.sql":
            assert sql_file(*file.relative_to(WAREHOUSE).parts).startswith("-- "), file


if __name__ == "__main__":
    print(schema(open_memory()), end="")


def test_memory_is_bounded_within_and_not_after(warehouse: Warehouse) -> None:
    """Of what the buffers may take: DuckDB's setting and that limit are two things."""

    def limits() -> str:
        return str(warehouse.value("SELECT memory_limit FROM pragma_database_size()"))

    after = []
    for _ in range(2):
        with warehouse.bounded_memory("256MiB"):
            assert limits() == "256.0 MiB"
        after.append(limits())
    assert after[0] == after[1] and after[0].endswith("GiB")


def test_audit_catches_a_stage_that_wrote_twice(warehouse: Warehouse) -> None:
    warehouse.append("store.reviews", [review("Cold soup.", review_id="a")])
    row = {"review_id": "a", "fingerprint": "f", "run_id": "r", "model": "m", "labels": ["joy"]}
    warehouse.append("store.emotions", [row, row])
    with pytest.raises(AuditFailed, match="one_row_per_key"):
        audit(warehouse)
