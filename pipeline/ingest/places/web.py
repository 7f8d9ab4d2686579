"""Files on web servers: http:// and https://, read by httpx2, which takes proxies and certificates from the environment."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pipeline.core.errors import InputError
from pipeline.ingest import formats
from pipeline.ingest.places import Fetched
from pipeline.ingest.places.address import masked
from pipeline.ingest.places.saving import save, suffix

if TYPE_CHECKING:
    import httpx2

CONNECT, STALLED = 10.0, 60.0  # seconds until a server must have accepted, and between two pieces of an answer
# Extensions for what servers declare, where no name has one.
_TYPES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": ".txt",
    "application/json": ".json",
    "application/jsonl": ".jsonl",
    "application/x-jsonlines": ".jsonl",
    "application/x-ndjson": ".ndjson",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


def fetch(address: str, folder: Path) -> Fetched:
    """The file at a URL. Raises InputError if it cannot be had, is a web page, or is of no known format."""
    import httpx2

    name = masked(address)
    try:
        with _client(address) as client, client.stream("GET", address) as response:
            _require_success(response, name)
            file = folder / f"reviews{_extension(address, response, name)}"
            save(_chunks(response, file), file, name)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise InputError(f"{name}: {_cause(error)}") from None  # its text may hold the whole URL
    _refuse_page(file, name)
    return Fetched(file)


def _client(address: str) -> httpx2.Client:
    import httpx2

    def refuse_downgrade(request: httpx2.Request) -> None:
        if address.lower().startswith("https:") and request.url.scheme != "https":
            raise InputError(
                f"{masked(address)} leads to an address without encryption ({request.url.host}), which is not followed. "
                "If you trust it, name that address itself."
            )

    return httpx2.Client(
        follow_redirects=True,
        timeout=httpx2.Timeout(STALLED, connect=CONNECT),
        headers={"Accept-Encoding": "identity", "User-Agent": "review-insights"},
        event_hooks={"request": [refuse_downgrade]},
    )


def _require_success(response: httpx2.Response, name: str) -> None:
    status = response.status_code
    if response.is_success:
        return
    if status in (401, 403):
        raise InputError(
            f"{name}: the server asks for other credentials ({status}). Write https://USER:PASSWORD@..., or make a new "
            "signed link."
        )
    if status in (404, 410):
        raise InputError(f"{name}: there is no such file ({status}). Check the address.")
    raise InputError(f"{name}: the server answered {status} {response.reason_phrase}. Try again later.")


def _extension(address: str, response: httpx2.Response, name: str) -> str:
    """The extension of the first of these that has a known one: the URL, the name that the server gives the file, the URL
    that it redirected to, the type that it declares.
    """
    headers = Message()
    for header in ("Content-Disposition", "Content-Type"):
        headers[header] = response.headers.get(header, "")
    declared = _TYPES.get(headers.get_content_type(), "") if response.headers.get("Content-Type") else ""
    for candidate in (
        unquote(urlsplit(address).path),
        headers.get_filename() or "",
        unquote(response.url.path),
        f"reviews{declared}",
    ):
        if formats.is_known(Path(candidate)):
            return suffix(candidate)
    raise InputError(
        f"{name}: what kind of file is this? Neither its address nor the server says. Download it, and name the file. "
        f"Known: {formats.KNOWN}."
    )


def _chunks(response: httpx2.Response, file: Path) -> Iterator[bytes]:
    """The content; what is gzipped by name is left so, even where the server calls that an encoding."""
    return response.iter_raw() if file.suffix == ".gz" else response.iter_bytes()


def _refuse_page(file: Path, name: str) -> None:
    with file.open("rb") as content:
        start = content.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise InputError(
            f"{name} is a web page, not a file of reviews. Does it need a login, or another link to download?"
        )


def _cause(error: Any) -> str:
    import httpx2

    text = str(error)
    match error:
        case httpx2.ConnectTimeout():
            return f"no connection within {CONNECT:.0f} s. Check the address and the network."
        case httpx2.TimeoutException():
            return f"nothing came for {STALLED:.0f} s. Try again later."
        case httpx2.ConnectError() if "SSL" in text or "certificate" in text.lower():
            return f"the connection is not secure: {text}. A certificate of your own is named in SSL_CERT_FILE."
        case httpx2.ConnectError():
            return f"no connection: {text}. Check the address and the network."
        case httpx2.TooManyRedirects():
            return "it redirects without end. Check the address."
        case httpx2.RemoteProtocolError() | httpx2.ReadError():
            return "the connection broke off. Try again."
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            return "it, or what it redirects to, is not an address that can be read."
    return f"it could not be read ({type(error).__name__}). Try again, or download it and name the file."
