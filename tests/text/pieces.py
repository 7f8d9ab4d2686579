"""Pieces of text that are hard to cut up, for hypothesis to put together."""

from __future__ import annotations

from hypothesis import strategies as st

pieces = st.sampled_from(
    [
        "the soup was cold",
        "Mr.",
        "4.5",
        "...",
        "!",
        "。",
        "，",
        " but ",
        ", aber ",
        "但是",
        "；",
        "; ",
        "\n",
        " ",
        "😀",
        "e.g.",
        "www.a.example/x",
        '"',
        ")",
        "İ",
        "word " * 60,
        "字" * 90,
        "1. ",
        "a.b",
        ".",
        "\u2028",
        "\x1c",
    ]
)
