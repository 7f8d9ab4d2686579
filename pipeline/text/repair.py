"""Undoes what exports and web pages did to a text."""

from __future__ import annotations

import re

from pipeline.text.cleaning import own_words, strip_html

# A backslash and an n that an export wrote for a line break; not after a drive letter and colon, as in the path C:\new.
_LITERAL_BREAK = re.compile(r"(?<![A-Za-z0-9]:)(?:\\r\\n|\\n|\\r)")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n[ \n]*\n ?")
# What may be a tag, an entity, an escape or mojibake: no letter of Chinese, Japanese or Korean, nor their punctuation.
_NOT_PLAIN = re.compile(
    r"[^\n -~\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]|[<&\\]"
)
_PASSES = 10


def repair(text: str) -> str:
    """A review as its author wrote it: mojibake and HTML entities decoded (ftfy), tags and what the platform added taken
    away, literal ``\\n`` sequences turned into line breaks, runs of spaces collapsed. Case, punctuation, emoji and digits
    stay as they are. Empty for a word that means "nothing", such as NULL.

    One repair can reveal the next, such as mojibake that a tag had split, so it is repeated until nothing changes; a text
    that is nested in itself more than ten times is left as it then is.
    """
    for _ in range(_PASSES):
        before, text = text, _tidy(_decoded(text) if _NOT_PLAIN.search(text) else text)
        if text == before:
            break
    return text


def _decoded(text: str) -> str:
    """A text without mojibake, entities, tags and literal line breaks."""
    import ftfy

    # Full-width punctuation is normal in Chinese and Japanese.
    text = ftfy.fix_text(text, unescape_html=True, normalization="NFC", fix_character_width=False).replace("\x00", "")
    text = _LITERAL_BREAK.sub("\n", strip_html(text))
    return _SPACES.sub(" ", text)


def _tidy(text: str) -> str:
    """A text without surplus spaces and what its platform added. Its only blanks are spaces and line breaks."""
    if "  " in text:
        text = re.sub(" {2,}", " ", text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return own_words(text.strip())
