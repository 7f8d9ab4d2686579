"""Files on web servers."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from pipeline.ingest import sources
from pipeline.ingest.formats.record import ReadOptions, is_record
from pipeline.ingest.load import IngestOptions, ingest
from pipeline.ingest.places import saving, web
from tests.ingest.places.servers import Answer, serving

CSV = b"text,stars\nCold soup.,1\n"
RECORD = {"text": "Cold soup.", "stars": "1"}


def read(address: str) -> list[object]:
    """The records at an address."""
    (source,) = sources.expand([address])
    with sources.opened(source) as it:
        return [item for item in it.items(ReadOptions()) if is_record(item)]


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """A server for all tests that need no more than one answer per path."""
    page = b"\xef\xbb\xbf\n<!DOCTYPE html><html><title>Sign in</title></html>"
    csv = {"Content-Type": "text/csv; charset=utf-8"}
    answers = {
        "/a.csv": Answer(CSV),
        "/a.csv.gz": Answer(gzip.compress(CSV)),
        "/encoded.csv.gz": Answer(gzip.compress(CSV), headers={"Content-Encoding": "gzip"}),
        "/encoded.csv": Answer(gzip.compress(CSV), headers={"Content-Encoding": "gzip"}),
        "/export": Answer(CSV, headers=csv),
        "/named": Answer(CSV, headers={"Content-Disposition": 'attachment; filename="all ../reviews.csv"'}),
        "/plain": Answer(CSV, headers={"Content-Type": "application/octet-stream"}),
        "/moved": Answer(status=302, headers={"Location": "/a.csv"}),
        "/loop": Answer(status=302, headers={"Location": "/loop"}),
        "/ftp": Answer(status=302, headers={"Location": "ftp://127.0.0.1/a.csv"}),
        "/page.csv": Answer(page, headers=csv),
        "/empty.csv": Answer(),
        "/broken.csv": Answer(CSV, announced=1000),
        "/bad.parquet": Answer(b"not Parquet"),
        "/private.csv": Answer(status=401),
        "/down.csv": Answer(status=503),
        "/slow.csv": Answer(CSV, wait=0.5),
        "/drip.csv": Answer(CSV, wait=0.05),
    }
    with serving(lambda request: answers.get(request.path.partition("?")[0], Answer(status=404))) as host:
        yield host


@pytest.mark.parametrize(
    "path", ["a.csv", "a.csv?token=x", "a.csv.gz", "encoded.csv.gz", "encoded.csv", "export", "named", "moved"]
)
def test_a_file_is_read_whatever_tells_its_format(host: str, path: str) -> None:
    assert read(f"http://{host}/{path}") == [RECORD]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing.csv", r"no such file \(404\)"),
        ("private.csv", r"other credentials \(401\)"),
        ("down.csv", "answered 503"),
        ("plain", "what kind of file"),
        ("page.csv", "is a web page"),
        ("empty.csv", "is empty"),
        ("broken.csv", "broke off"),
        ("loop", "without end"),
        ("ftp", "not an address that can be read"),
        ("bad.parquet", r"^http://[^/]*/bad.parquet\?key=\*\*\* is not a Parquet file"),
    ],
)
def test_what_cannot_be_read_is_said_without_secrets(host: str, path: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read(f"http://me:hunter2@{host}/{path}?key=hunter2")
    assert "hunter2" not in str(error.value) and "/tmp" not in str(error.value)


def test_a_server_that_stalls(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "STALLED", 0.1)
    with pytest.raises(InputError, match="nothing came for"):
        read(f"http://{host}/slow.csv")


def test_a_server_that_drips(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "LIMIT", 0.1)
    with pytest.raises(InputError, match="was not here after"):
        read(f"http://{host}/drip.csv")


def test_a_user_and_password_are_sent() -> None:
    sent = []

    def respond(request: object) -> Answer:
        sent.append(request.headers["Authorization"])  # type: ignore[attr-defined]
        return Answer(CSV)

    with serving(respond) as host:
        assert read(f"http://me:p%40ss@{host}/a.csv") == [RECORD]
    assert sent == ["Basic bWU6cEBzcw=="]


def test_nobody_listens() -> None:
    with serving(lambda request: Answer()) as host:
        pass
    with pytest.raises(InputError, match=r"no connection: .*refused"):
        read(f"http://{host}/a.csv")


def test_a_server_without_tls(host: str) -> None:
    with pytest.raises(InputError, match="the connection is not secure"):
        read(f"https://{host}/a.csv")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, to make a certificate")
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(["openssl", "req", "-x509", *kind, *files], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_tls(host: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate must be trusted, and the way must not leave TLS."""
    answers = {
        "/a.csv": Answer(CSV),
        "/moved.csv": Answer(status=301, headers={"Location": "/a.csv"}),
        "/downgraded.csv": Answer(status=302, headers={"Location": f"http://{host}/a.csv"}),
    }
    with serving(lambda request: answers[request.path], certificate) as secure:
        with pytest.raises(InputError, match=r"not secure: .*SSL_CERT_FILE"):
            read(f"https://{secure}/a.csv")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert read(f"https://{secure}/a.csv") == read(f"https://{secure}/moved.csv") == [RECORD]
        with pytest.raises(InputError, match="without encryption"):
            read(f"https://{secure}/downgraded.csv")


def test_an_open_source_is_fetched_once_and_goes_when_it_is_closed() -> None:
    fetched: list[str] = []

    def respond(request: object) -> Answer:
        fetched.append(request.path)  # type: ignore[attr-defined]
        return Answer(CSV)

    with serving(respond) as host, sources.opened(f"http://{host}/a.csv?sig=hunter2") as source:
        first, second = (list(source.items(ReadOptions())) for _ in range(2))
        copy = source.items.args[0].file  # type: ignore[attr-defined]
        assert first == second and copy.exists()
        assert source.name == f"http://{host}/a.csv?sig=***"
    assert len(fetched) == 1 and not copy.exists()


def test_the_warehouse_has_no_secrets(host: str, warehouse: Warehouse) -> None:
    address = f"http://me:hunter2@{host}/a.csv?token=hunter2"
    (ingested,) = ingest(warehouse, [address], IngestOptions(), "run", datetime(2026, 11, 25))
    assert ingested.source == f"http://***@{host}/a.csv?token=***"
    assert "hunter2" not in str(warehouse.query("SELECT * FROM reviews"))
