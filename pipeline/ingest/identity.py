"""Which review a record is: the same one again, or another customer who wrote the same.

An id never depends on how a date or a rating is interpreted, so it survives a corrected date order or star scale.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.ingest.values import parse_stars
from pipeline.text.cleaning import own_words

_ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)?)?")


def native_id(written: str) -> str:
    """The id that its platform gave a review; empty for none, and for what a spreadsheet made of one: "#NAME?" of an id that
    begins with a dash, "1.02E+17" of a long number. Many reviews would share these.
    """
    return "" if not written or _ROUNDED.fullmatch(written) else own_words(written)


def native_review_id(platform: str, native_id: str, text: str) -> str:
    """The id of a review that its platform has given one, 16 hex digits. The text is part of it: one that was changed is read anew."""
    return short_hash(json.dumps([platform, native_id, text]))


def native_key(platform: str, source: str, native_id: str) -> str:
    """What tells two versions of a review to be the same one: the id that its platform gave it. Where the platform is not
    known, a short id may just count, so that it holds within its source only.
    """
    is_unique = platform or len(native_id) >= (12 if native_id.isdigit() else 10)
    return f"{platform}:{native_id}" if is_unique else f"{source}:{native_id}"


def review_id(text: str, stars: str, reviewed_at: str, business: str | None, product: str | None) -> str:
    """The id of a review without an id of its own, 16 hex digits: a hash of what the customer wrote, with stars and date as
    they stand in the source.
    """
    return short_hash(json.dumps([text, _rating(stars), _date(reviewed_at), business, product]))


def _rating(written: str) -> float | str | None:
    """A rating as a number if it is one, "8/10" if its best was written with it; otherwise as it is written."""
    rating = parse_stars(written)
    if rating is None:
        return written.strip() or None
    return rating.value if rating.best in (None, 5.0) else f"{rating.value:g}/{rating.best:g}"


def _date(written: str) -> str | None:
    """A date in ISO 8601, in UTC and in one spelling; anything else as it is written."""
    written = written.strip()
    if not _ISO.fullmatch(written):
        return written or None
    try:
        moment = datetime.fromisoformat(written.replace(" +", "+").replace(" Z", "Z"))
        return (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment).isoformat()
    except (ValueError, OverflowError):
        return written


def author_hash(name: str, salt: bytes) -> str | None:
    """A reviewer's name as a salted hash, 16 hex digits; None without a name."""
    name = " ".join(name.split()).casefold()
    return hashlib.blake2b(name.encode(errors="surrogatepass"), key=salt, digest_size=8).hexdigest() if name else None


def short_hash(text: str) -> str:
    """The first 16 hex digits of the sha256 of a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def reject_id(source: str, reason: str, raw: str, occurrence: int) -> str:
    """The id of a record that did not become a review. Equal records of a source are numbered."""
    return short_hash(f"{source}\0{reason}\0{raw}\0{occurrence}")


def content_id(row: Mapping[str, Any]) -> str:
    """`review_id` of a review whose stars and date are already interpreted, as the service has them."""
    date = row["reviewed_at"].isoformat() if row["reviewed_at"] else ""
    stars = "" if row["stars"] is None else f"{row['stars']:g}"
    return review_id(row["text"], stars, date, row["business"], row["product"])
