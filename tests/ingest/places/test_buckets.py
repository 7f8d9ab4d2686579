"""Files in buckets. The server is a small one of our own, which speaks as S3 and Google's XML interface do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import sources
from pipeline.ingest.formats.record import ReadOptions, is_record
from tests.ingest.places.servers import object_store, serving

OBJECTS = {
    "reviews/1.csv": b"text\nCold soup.\n",
    "reviews/2 b.csv": b"text\nWarm soup.\n",
    "reviews/old/3.csv": b"text\nOld soup.\n",
    "reviews/notes.md": b"no reviews",
    "reviews/old/": b"",
    "archive": b"no reviews",
}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS_* name a server that holds OBJECTS in the bucket `shop`."""
    with serving(object_store(OBJECTS, key_id="AKID")) as host:
        environment = {"ENDPOINT_URL": f"http://{host}", "ALLOW_HTTP": "true", "REGION": "eu-central-1"}
        keys = {"ACCESS_KEY_ID": "AKID", "SECRET_ACCESS_KEY": "hunter2"}
        for name, value in {**environment, **keys}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield


@pytest.fixture
def gs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """GOOGLE_* name a server that holds OBJECTS in the bucket `shop`."""
    with serving(object_store(OBJECTS)) as host:
        account = {"gcs_base_url": f"http://{host}", "disable_oauth": True, "client_email": "", "private_key": ""}
        (tmp_path / "account.json").write_text(json.dumps({**account, "private_key_id": ""}))
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "account.json"))
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        yield


def texts(address: str) -> dict[str, str | None]:
    """The text of the one record of each file behind an address."""
    result = {}
    for source in sources.expand([address]):
        with sources.opened(source) as it:
            (record,) = (item for item in it.items(ReadOptions()) if is_record(item))
            assert isinstance(record, dict)
            result[it.name] = record["text"]
    return result


ONE, TWO, OLD = (f"s3://shop/reviews/{name}.csv" for name in ("1", "2 b", "old/3"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (ONE, [ONE]),
        (TWO, [TWO]),
        ("s3://shop/reviews/*.csv", [ONE, TWO]),
        ("s3://shop/reviews/[1]*", [ONE]),
        ("s3://shop/**/?.csv", [ONE, OLD]),
        ("s3://shop/reviews", [ONE, TWO, OLD]),
        ("s3://shop/", [ONE, TWO, OLD]),
    ],
)
def test_files_patterns_and_folders(s3: None, address: str, expected: list[str]) -> None:
    assert list(texts(address)) == expected
    assert sources.expand([address, ONE]).count(ONE) == 1


def test_a_file_is_read(s3: None) -> None:
    assert texts(TWO) == {TWO: "Warm soup."}


def test_google(gs: None) -> None:
    assert texts("gs://shop/reviews/*.csv") == {
        "gs://shop/reviews/1.csv": "Cold soup.",
        "gs://shop/reviews/2 b.csv": "Warm soup.",
    }


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://shop/reviews/4.csv", "s3://shop/reviews/4.csv: there is no such file"),
        ("s3://shop/none/*.csv", "Nothing matches s3://shop/none"),
        ("s3://shop/reviews/*", "s3://shop/reviews/notes.md: what kind of file"),
        ("s3://shop/archive", "holds no reviews, and is none"),
        ("s3://other/a.csv", "no such (bucket|file)"),
        ("s3://other/*.csv", "no such bucket"),
        ("s3://id:hunter2@shop/a.csv", r"write s3://BUCKET/KEY"),
    ],
)
def test_what_is_not_there(s3: None, address: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        texts(address)
    assert "hunter2" not in str(error.value)


def test_wrong_credentials(s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OTHER")
    for address in (ONE, "s3://shop/reviews/*.csv"):
        with pytest.raises(InputError, match=r"no access. Credentials come from AWS_ACCESS_KEY_ID") as error:
            texts(address)
        assert "hunter2" not in str(error.value)


def test_nobody_listens(s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(object_store({})) as host:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}")
    with pytest.raises(InputError, match=r"could not be read: .*error sending request"):
        texts(ONE)


def test_the_package_is_missing(s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    for address in (ONE, "s3://shop/reviews/*.csv"):
        with pytest.raises(InputError, match=r"needs the package obstore: pip install 'review-insights\[remote\]'"):
            texts(address)


def test_an_address_of_another_kind() -> None:
    with pytest.raises(InputError, match=r"^ftp://me:\*\*\*@host/a.csv: .* Known: http://, https://, s3://"):
        sources.expand(["ftp://me:hunter2@host/a.csv"])


def test_an_endpoint_without_encryption_must_be_allowed(s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(InputError, match="could not be read"):
        texts(ONE)
