"""Addresses are shown without the secrets in them."""

from __future__ import annotations

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest.places.address import masked, scheme


@pytest.mark.parametrize(
    ("source", "expected"),
    [("HTTPS://host/a.csv", "https"), ("a.csv", None), ("hf:Yelp/x", None), ("C:\\a.csv", None), ("s3://b/k", "s3")],
)
def test_scheme(source: str, expected: str | None) -> None:
    assert scheme(source) == expected


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://host/a.csv?gid=7", "https://host/a.csv?gid=7"),
        ("https://me:hunter2@host:8443/a.csv", "https://***@host:8443/a.csv"),
        ("https://hunter2@host/a.csv#hunter2", "https://***@host/a.csv"),
        ("https://host/a.csv?sheet=2&access_token=hunter2", "https://host/a.csv?sheet=2&access_token=***"),
        ("https://host/a.csv?api%5Fkey=hunter2", "https://host/a.csv?api%5Fkey=***"),
        (
            "https://b.s3.amazonaws.com/a.csv?X-Amz-Credential=A&X-Amz-Date=1&X-Amz-Signature=hunter2",
            "https://b.s3.amazonaws.com/a.csv?X-Amz-Credential=***&X-Amz-Date=***&X-Amz-Signature=***",
        ),
        ("https://a.blob.net/c/a.csv?sv=2024&se=2026&sig=hunter2", "https://a.blob.net/c/a.csv?sv=2024&se=***&sig=***"),
        ("postgres://me:hunter2@host:5432/shop?table=a.b", "postgres://me:***@host:5432/shop?table=a.b"),
        ("postgres://me@host/shop?password=hunter2&table=b", "postgres://me@host/shop?password=***&table=b"),
        ("s3://id:hunter2@bucket/a?.csv", "s3://id:***@bucket/a?.csv"),
        ("sqlite:///shop.db?query=SELECT text FROM t", "sqlite:///shop.db?query=SELECT text FROM t"),
    ],
)
def test_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    "address", ["https://me:hun/ter2@host/a.csv", "postgres://me:hun?ter2@h/b", "https://me:h#@h/b"]
)
def test_a_password_that_cannot_be_told_apart_is_not_shown(address: str) -> None:
    with pytest.raises(InputError, match="write special characters as %XX") as error:
        masked(address)
    assert "hun" not in str(error.value)
