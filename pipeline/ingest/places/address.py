"""Addresses of reviews, like https://host/reviews.csv, and how they are shown: without the secrets they may hold."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from pipeline.core.errors import InputError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
# Parameters that let in whoever knows them, and those that are made anew with every signed link.
_SECRET = re.compile(
    r"(key|token|sig|signature|secret|passw(or)?d|passphrase|passcode|pwd|pass|auth|authorization|credentials?|jwt|hmac"
    r"|session|session_?id|key_?id|key-pair-id|policy)$|^(x-(amz|goog)-.*|code|expires|se|st|ske|skt)$",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"(?<=[?&])([^=&]+)=([^&]*)")


def scheme(source: str) -> str | None:
    """The scheme of an address in lower case; None for a path or the name of a data set."""
    match = _SCHEME.match(source)
    return match.group(1).lower() if match else None


def masked(address: str) -> str:
    """The address with *** for passwords and for secrets and signatures in its query: what messages and the warehouse show,
    and the same for each new signature. Raises InputError for one whose parts cannot be told apart.
    """
    place, question, query = address.partition("?")
    try:
        urlsplit(place).port  # noqa: B018 - raises for what is no port: often the rest of a password
    except ValueError:
        raise InputError(
            f"An address {scheme(address)}://... cannot be read. In user names and passwords write special characters "
            "as %XX, such as %40 for @ and %2F for /."
        ) from None
    start, slashes, rest = place.partition("//")
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    if start.lower() in ("http:", "https:"):  # there a user name may be a token
        user, path, query = at and "***", path.partition("#")[0], query.partition("#")[0]
    elif ":" in user:
        user = user.partition(":")[0] + ":***"
    shown = _PARAMETER.sub(_masked_parameter, question + query)
    return "".join((start, slashes, user, at, host, slash, path, shown))


def _masked_parameter(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}={'***' if _SECRET.search(unquote(name)) else value}"
