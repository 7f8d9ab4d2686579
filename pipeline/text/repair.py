"""Undoes what exports and web pages did to a text."""

from __future__ import annotations

import re

import ftfy

# A backslash and an n that an export wrote for a line break; not after a drive letter and colon, as in the path C:\new.
_LITERAL_BREAK = re.compile(r"(?<![A-Za-z0-9]:)(?:\\r\\n|\\n|\\r)")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n[ \n]*\n ?")


def repair(text: str) -> str:
    """A review as its author wrote it: mojibake and HTML entities decoded (ftfy), literal ``\\n`` sequences turned into
    line breaks, runs of spaces collapsed. Case, punctuation, emoji and digits stay as they are.
    """
    # Full-width punctuation is normal in Chinese and Japanese.
    text = ftfy.fix_text(text, unescape_html=True, normalization="NFC", fix_character_width=False).replace("\x00", "")
    text = re.sub(r"<br\s*/?>", "\n", text, flags=re.IGNORECASE)
    text = _LITERAL_BREAK.sub("\n", text)
    text = _SPACES.sub(" ", text)
    return _BLANK_LINES.sub("\n\n", text).strip()
