"""Undoes what exports and web pages did to a text."""

from __future__ import annotations

import re

import ftfy

from pipeline.text.cleaning import own_words, strip_html

# A backslash and an n that an export wrote for a line break; not after a drive letter and colon, as in the path C:\new.
_LITERAL_BREAK = re.compile(r"(?<![A-Za-z0-9]:)(?:\\r\\n|\\n|\\r)")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n[ \n]*\n ?")


def repair(text: str) -> str:
    """A review as its author wrote it: mojibake and HTML entities decoded (ftfy), tags and what the platform added taken
    away, literal ``\\n`` sequences turned into line breaks, runs of spaces collapsed. Case, punctuation, emoji and digits
    stay as they are. Empty for a word that means "nothing", such as NULL.

    Repairing a repaired text can change it once more: only without the tags can ftfy see mojibake that a tag split, and
    a tag that was nested in another ("<<b>b>") appears only then.
    """
    # Full-width punctuation is normal in Chinese and Japanese.
    text = ftfy.fix_text(text, unescape_html=True, normalization="NFC", fix_character_width=False).replace("\x00", "")
    text = _LITERAL_BREAK.sub("\n", strip_html(text))
    text = _SPACES.sub(" ", text)
    return own_words(_BLANK_LINES.sub("\n\n", text).strip())
